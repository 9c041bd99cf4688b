import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fleetPlatform } from '../../../../test/support/fleet.ts';
import { compileFleet } from '../compile/compile.ts';
import { provideSecrets, type SecretsInput, type SecretsOutcome } from './secrets-folder.ts';

const passphrase = 'a passphrase of some length';
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tideline-secrets-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const documents = compileFleet(fleetPlatform({ sites: 2 }), {}).documents;
const masters = [0, 1].flatMap((site) => [0, 1, 2].map((n) => `site${site}-control${n}`));
const at = (...parts: readonly string[]) => join(folder, ...parts);
const read = (server: string): Record<string, string> =>
  JSON.parse(readFileSync(at('out/secrets', `${server}.json`), 'utf8'));
const provide = (change: Partial<SecretsInput> = {}): Promise<SecretsOutcome> =>
  provideSecrets({
    safe: at('safe'),
    out: at('out'),
    passphrase,
    documents,
    create: true,
    write: true,
    ...change,
  });

test('secrets are made once, and only the servers that need them have them', async () => {
  expect(await provide()).toEqual({ made: ['site0', 'site1'], foreign: [], absent: [], changed: masters });
  expect(readdirSync(at('out/secrets'))).toEqual(masters.map((name) => `${name}.json`));
  expect(Object.keys(read('site1-control0'))).toEqual([
    'site1/encryption',
    'site1/service-accounts',
    'site1/service-accounts-public',
  ]);
  expect(read('site0-control0')).toEqual(read('site0-control2'));
  expect(read('site0-control0')['site0/encryption']).not.toBe(read('site1-control0')['site1/encryption']);
  expect(await provide()).toEqual({ made: [], foreign: [], absent: [], changed: [] });
});

test('what is only shown writes nothing', async () => {
  expect(await provide({ write: false })).toMatchObject({ made: ['site0', 'site1'], changed: masters });
  expect(readdirSync(folder)).toEqual([]);
  expect(await provide({ create: false })).toMatchObject({ absent: ['site0', 'site1'], changed: [] });
});

test('files are for their owner alone', async () => {
  await provide();
  const files = [at('safe/site0/secrets.sealed'), at('out/secrets/site0-control0.json')];
  expect(files.map((file) => statSync(file).mode & 0o777)).toEqual([0o600, 0o600]);
  const folders = [at('safe/site0'), at('out/secrets')];
  expect(folders.map((file) => statSync(file).mode & 0o777)).toEqual([0o700, 0o700]);
});

test('a lost or changed file is written again from the safe, and a server that needs none any more loses them', async () => {
  await provide();
  const before = read('site0-control0');
  writeFileSync(at('out/secrets/site0-control1.json'), JSON.stringify({ ...before, 'site0/encryption': 'other' }));
  rmSync(at('out/secrets/site0-control0.json'));
  const fewer = new Map([...documents].filter(([server]) => server !== 'site0-control2'));
  const changed = ['site0-control0', 'site0-control1', 'site0-control2'];
  expect(await provide({ documents: fewer })).toMatchObject({ made: [], changed });
  expect([read('site0-control0'), read('site0-control1')]).toEqual([before, before]);
  expect(readdirSync(at('out/secrets'))).not.toContain('site0-control2.json');
});

test('secrets that somebody else made stay as they are, and so do names that are not ours', async () => {
  mkdirSync(at('out/secrets'), { recursive: true });
  writeFileSync(at('out/secrets/site0-control0.json'), JSON.stringify({ 'site0/encryption': 'by hand' }));
  writeFileSync(at('out/secrets/site1-control0.json'), JSON.stringify({ token: 'of a registry' }));
  expect(await provide()).toMatchObject({ made: ['site1'], foreign: ['site0'] });
  expect(read('site0-control0')).toEqual({ 'site0/encryption': 'by hand' });
  expect(read('site1-control0')).toMatchObject({ token: 'of a registry', 'site1/encryption': expect.any(String) });
});

test('the safe has no secret in the open, and another passphrase or a changed byte opens nothing', async () => {
  await provide();
  const sealed = readFileSync(at('safe/site0/secrets.sealed'), 'utf8');
  for (const text of Object.values(read('site0-control0'))) expect(sealed).not.toContain(text.slice(40, 80));
  await expect(provide({ passphrase: 'another passphrase, long' })).rejects.toThrow(/AuthorityLocked/);
  const value: Record<string, string> = JSON.parse(sealed);
  const bytes = Buffer.from(value['sealed'] ?? '', 'base64');
  bytes[20] = (bytes[20] ?? 0) ^ 1;
  writeFileSync(at('safe/site0/secrets.sealed'), JSON.stringify({ ...value, sealed: bytes.toString('base64') }));
  await expect(provide()).rejects.toThrow(/AuthorityLocked/);
  writeFileSync(at('safe/site0/secrets.sealed'), '{"format": 1}');
  await expect(provide()).rejects.toThrow(/AuthorityUnreadable/);
});

test('a broken file of a server is refused without a word of it', async () => {
  await provide();
  writeFileSync(at('out/secrets/site0-control0.json'), `{"site0/encryption": "SECRET-OF-OURS`);
  const fault = await provide().then(
    () => new Error('nothing was refused'),
    (error: unknown) => error,
  );
  expect(String(fault)).toMatch(/site0-control0\.json.*PemsUnreadable/);
  expect(String(fault)).not.toContain('SECRET-OF-OURS');
});
