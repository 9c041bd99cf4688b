import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** The whole way of keys and certificates, as an operator goes it: compile, collect public keys, sign, compile again. */
const root = resolve(import.meta.dirname, '../../..');
const spec = join(root, 'test/golden/check/valid-fleet/input.yaml');
let folder: string;
const at = (...parts: readonly string[]) => join(folder, ...parts);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tideline-sign-'));
  writeFileSync(at('passphrase'), 'a passphrase of some length\n', { mode: 0o600 });
  mkdirSync(at('keys'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function fleet(verb: string, ...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(join(root, 'bin/tideline'), ['fleet', verb, spec, ...args], {
    encoding: 'utf8',
  });
  return { status, said: `${stdout}${stderr}`.split('\n').filter((line) => line !== '') };
}
const compile = () => fleet('compile', '--out', at('out'));
const sign = (...more: readonly string[]) =>
  fleet(
    'sign',
    '--public-keys',
    at('keys'),
    '--authorities',
    at('authorities'),
    '--passphrase-file',
    at('passphrase'),
    '--out',
    at('out'),
    ...more,
  );
interface Document {
  readonly pki: Record<
    'keys' | 'certificates' | 'authorities',
    Record<string, { readonly pem?: string; readonly key: string }>
  >;
}
const documents = (): readonly (readonly [string, Document])[] =>
  readdirSync(at('out/documents')).map(
    (name) => [name, JSON.parse(readFileSync(at('out/documents', name), 'utf8'))] as const,
  );

test('a cluster gets its certificates, and a second run finds nothing to do', () => {
  expect(compile().status).toBe(0);
  const withoutAuthorities = sign();
  expect(withoutAuthorities.status).toBe(1);
  expect(withoutAuthorities.said).toContainEqual(expect.stringMatching(/^refused \d+ \(AuthorityMissing\)/));
  expect(sign('--create-authorities', '--yes').said.slice(0, 3)).toEqual([
    'made the authority paris/etcd',
    'made the authority paris/front-proxy',
    'made the authority paris/kubernetes',
  ]);
  expect(sign('--create-authorities', '--yes').said.join('\n')).not.toMatch(/made|wrote/);
  for (const [name, { pki }] of documents()) {
    const made = Object.keys(pki.keys).map((path) => {
      const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      return [path, publicKey.export({ type: 'spki', format: 'pem' })] as const;
    });
    writeFileSync(at('keys', name), JSON.stringify(Object.fromEntries(made)));
  }
  const shown = sign();
  expect(shown.said.at(-1)).toBe('nothing was written; add --yes to do it');
  expect(readdirSync(at('out'))).toContain('certificates');
  const done = sign('--yes');
  expect(done).toMatchObject({ status: 0 });
  expect(done.said[0]).toMatch(/^signed \d+ \(CertificateMissing\): par-/);
  expect(sign('--yes').said).toEqual(['every certificate is as it should be', '0 files written']);
});

test('documents have the certificates, each under the authority that the document names, and none has a private key', () => {
  expect(fleet('plan', '--against', at('out')).said.join('\n')).toMatch(/changed certificates/);
  expect(compile().status).toBe(0);
  for (const [, { pki }] of documents()) {
    for (const { pem } of [...Object.values(pki.certificates), ...Object.values(pki.authorities)])
      expect(new X509Certificate(pem ?? '').subject).toMatch(/CN=/);
    expect(JSON.stringify(pki)).not.toContain('PRIVATE');
  }
  expect(fleet('plan', '--against', at('out')).said[0]).toMatch(/^\d+ servers have not got what was written before: /);
});

test('a secret stands in the file of a server that needs it, and nowhere else: in no document, output or difference', () => {
  const files = readdirSync(at('out/secrets'));
  expect(files.every((name) => name.includes('master'))).toBe(true);
  const secrets = JSON.parse(readFileSync(at('out/secrets', files[0] ?? ''), 'utf8')) as Record<string, string>;
  expect(Object.keys(secrets)).toEqual(['paris/encryption', 'paris/service-accounts', 'paris/service-accounts-public']);
  const key = /"secret":"([^"]+)"/.exec(secrets['paris/encryption'] ?? '')?.[1] ?? '';
  const body = (secrets['paris/service-accounts'] ?? '').split('\n').slice(1, -2);
  const parts = [key, ...body];
  expect(parts.length).toBeGreaterThan(20);
  const said = [
    compile(),
    fleet('compile', '--out', at('out'), '-o', 'json'),
    fleet('plan', '--against', at('out'), '-o', 'json'),
    sign('--create-authorities', '--yes', '-o', 'json'),
    sign('-o', 'yaml'),
  ].flatMap(({ said: lines }) => lines);
  const kept = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.endsWith('/secrets'))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));
  expect(kept.length).toBeGreaterThan(10);
  const all = [...said, ...kept].join('\n');
  expect(parts.filter((part) => all.includes(part))).toEqual([]);
});

test('a server that was set up anew gets new certificates, and nobody else does', () => {
  const keys = JSON.parse(readFileSync(at('keys/par-a-worker.json'), 'utf8')) as Record<string, string>;
  for (const path of Object.keys(keys))
    keys[path] = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      .publicKey.export({ type: 'spki', format: 'pem' })
      .toString();
  writeFileSync(at('keys/par-a-worker.json'), JSON.stringify(keys));
  const { said } = sign('--yes');
  expect(said[0]).toMatch(/^signed \d+ \(KeyChanged\): par-a-worker$/);
  expect(said.at(-1)).toBe('1 files written');
});

test('what Salt prints of all servers is taken as well, and servers that did not answer hand in nothing', () => {
  const of = (name: string): unknown => JSON.parse(readFileSync(at('keys', `${name}.json`), 'utf8'));
  const printed = { 'par-a-worker': of('par-a-worker'), 'par-b-worker': false, 'par-a-blade': 'Minion did not return' };
  writeFileSync(at('printed.json'), JSON.stringify(printed));
  const { said } = fleet(
    'sign',
    '--public-keys',
    at('printed.json'),
    '--authorities',
    at('authorities'),
    '--passphrase-file',
    at('passphrase'),
    '--out',
    at('out'),
  );
  expect(said[0]).toMatch(/^refused \d+ \(KeyMissing\): par-a-blade par-a-master/);
  expect(said[0]).not.toContain('par-a-worker');
});

test('a file of keys that is broken ends the command and changes nothing', () => {
  writeFileSync(at('keys/par-a-worker.json'), '{"half": ');
  const { status, said } = sign('--yes');
  expect(status).toBe(2);
  expect(said.join('\n')).toMatch(/par-a-worker\.json.*PemsUnreadable/);
});
