import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAuthority, openAuthorities, readPassphrase } from './authorities.ts';

const nowMs = Date.parse('2026-06-01T00:00:00Z');
const passphrase = 'a passphrase of some length';
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tideline-authorities-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});
const open = (word = passphrase, atMs = nowMs) => openAuthorities(folder, ['paris/etcd'], word, atMs);

test('an authority is what openssl takes for one, and its key is sealed', async () => {
  await createAuthority(folder, 'paris/etcd', passphrase, nowMs);
  const [certificate, key] = ['crt', 'key'].map((end) => join(folder, `paris/etcd.${end}`));
  const said = execFileSync(
    'openssl',
    ['x509', '-noout', '-subject', '-ext', 'basicConstraints,keyUsage', '-in', certificate ?? ''],
    { encoding: 'utf8' },
  );
  expect(said).toContain('CN = paris/etcd');
  expect(said).toMatch(/CA:TRUE, pathlen:0/);
  expect(said).toMatch(/Certificate Sign, CRL Sign/);
  expect(() =>
    execFileSync('openssl', ['pkey', '-in', key ?? '', '-passin', 'pass:wrong', '-noout'], { stdio: 'pipe' }),
  ).toThrow();
  execFileSync('openssl', ['pkey', '-in', key ?? '', '-passin', `pass:${passphrase}`, '-noout']);
  expect(statSync(key ?? '').mode & 0o777).toBe(0o600);
  expect([...(await open()).keys()]).toEqual(['paris/etcd']);
});

test('an authority that is there is never written over', async () => {
  await createAuthority(folder, 'paris/etcd', passphrase, nowMs);
  const before = readFileSync(join(folder, 'paris/etcd.key'), 'utf8');
  await expect(createAuthority(folder, 'paris/etcd', passphrase, nowMs)).rejects.toThrow('AuthorityExists');
  rmSync(join(folder, 'paris/etcd.key'));
  await expect(createAuthority(folder, 'paris/etcd', passphrase, nowMs)).rejects.toThrow('AuthorityExists');
  expect(readdirSync(join(folder, 'paris'))).toEqual(['etcd.crt']);
  writeFileSync(join(folder, 'paris/etcd.key'), before);
  expect([...(await open()).keys()]).toEqual(['paris/etcd']);
  expect(readdirSync(join(folder, 'paris')).sort()).toEqual(['etcd.crt', 'etcd.key']);
});

test('no authority is opened that could not sign what is believed', async () => {
  expect((await open()).size).toBe(0);
  await createAuthority(folder, 'paris/etcd', passphrase, nowMs);
  await expect(open('another passphrase')).rejects.toThrow('AuthorityLocked');
  await expect(open(passphrase, nowMs + 4000 * 86_400_000)).rejects.toThrow('AuthorityEnds');
  await createAuthority(folder, 'other', passphrase, nowMs);
  const certificate = readFileSync(join(folder, 'paris/etcd.crt'), 'utf8');
  writeFileSync(join(folder, 'paris/etcd.crt'), readFileSync(join(folder, 'other.crt')));
  await expect(open()).rejects.toThrow('AuthorityUnreadable');
  writeFileSync(join(folder, 'paris/etcd.crt'), certificate);
  writeFileSync(join(folder, 'paris/etcd.key'), 'half a key');
  await expect(open()).rejects.toThrow('AuthorityUnreadable');
  rmSync(join(folder, 'paris/etcd.key'));
  await expect(open()).rejects.toThrow('AuthorityUnreadable');
});

test('a passphrase comes from a file that nobody else may read', async () => {
  const file = join(folder, 'passphrase');
  await expect(readPassphrase(file)).rejects.toThrow('PassphraseUnfit');
  writeFileSync(file, `${passphrase}\nanother line\n`, { mode: 0o600 });
  expect(await readPassphrase(file)).toBe(passphrase);
  chmodSync(file, 0o640);
  await expect(readPassphrase(file)).rejects.toThrow('others may read');
  chmodSync(file, 0o600);
  writeFileSync(file, 'short\n');
  await expect(readPassphrase(file)).rejects.toThrow('5 characters');
});
