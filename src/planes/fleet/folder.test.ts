import { generateKeyPairSync, verify } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fleetPlatform, shippedUnits } from '../../../test/support/fleet.ts';
import { compileFleet } from './compile/compile.ts';
import { checksumOf, readDocuments, writeFolder } from './folder.ts';
import { documentSigner } from './pki/operator-key.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-fleet-'));
});
afterEach(() => rm(folder, { recursive: true }));

const units = shippedUnits();
const of = (workersPerSite: number) => compileFleet(fleetPlatform({ workersPerSite }), units);

it('writes for its owner alone, nothing twice, and reads back what it wrote', async () => {
  const first = await writeFolder(folder, of(3));
  expect(first).toMatchObject({ removed: [], unchanged: 0 });
  for (const path of first.written) expect((await stat(join(folder, path))).mode & 0o777, path).toBe(0o600);
  expect(await writeFolder(folder, of(3))).toEqual({ written: [], removed: [], unchanged: first.written.length });
  expect(JSON.stringify([...(await readDocuments(folder))])).toBe(JSON.stringify([...of(3).documents]));
});

it('writes a file again that somebody changed, and removes what is no longer wanted, but nothing of others', async () => {
  await writeFolder(folder, of(3));
  const edited = join(folder, 'documents/site0-blade000.json');
  await writeFile(edited, '{}');
  await writeFile(join(folder, 'documents/notes.json'), 'mine');
  const { written, removed } = await writeFolder(folder, of(2));
  expect(written).toContain('documents/site0-blade000.json');
  expect(removed).toEqual(['documents/site0-worker0002.json']);
  expect(await readFile(join(folder, 'documents/notes.json'), 'utf8')).toBe('mine');
  expect(await readdir(join(folder, 'documents'))).not.toContain('site0-worker0002.json');
});

it('removes nothing outside of the folder, whatever the index says', async () => {
  await writeFolder(folder, of(2));
  const outside = `${folder}-outside.json`;
  await writeFile(outside, 'mine');
  const path = `documents/../../${outside.split('/').at(-1)}`;
  await writeFile(join(folder, 'index.json'), JSON.stringify({ files: { [path]: 'x' } }));
  expect((await writeFolder(folder, of(2))).removed).toEqual([]);
  expect(await readFile(outside, 'utf8')).toBe('mine');
  await rm(outside);
});

it('has one checksum for equal documents', () => {
  expect(checksumOf(of(2))).toBe(checksumOf(of(2)));
  expect(checksumOf(of(2))).not.toBe(checksumOf(of(3)));
});

it('writes signatures beside documents, by which documents are still found, and removes them without a key', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const file = join(folder, 'operator.key');
  await writeFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  await writeFolder(folder, of(2), await documentSigner(file));
  const path = join(folder, 'documents/site0-blade000.json');
  const [text, signature] = await Promise.all([readFile(path), readFile(`${path}.sig`, 'utf8')]);
  expect(verify(null, text, publicKey, Buffer.from(signature, 'base64'))).toBe(true);
  expect([...(await readDocuments(folder)).keys()]).toEqual([...of(2).documents.keys()]);
  expect((await writeFolder(folder, of(2))).removed).toContain('documents/site0-blade000.json.sig');
  await writeFile(file, 'none');
  await expect(documentSigner(file)).rejects.toThrow(/is no private key of Ed25519/);
});
