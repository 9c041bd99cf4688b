import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../../..');
const spec = readFileSync(join(root, 'test/golden/check/valid-fleet/input.yaml'), 'utf8');
const files = [...spec.matchAll(/salt:\/\/([^'\s]+)/g)].map(([, path]) => path);
/** A stand-in for `salt`: one server does not answer, and the file server lacks one file. */
const salt = `#!${process.execPath}
const words = process.argv.slice(2);
const servers = words[words.indexOf('--list') + 1].split(',').filter((name) => name !== 'par-b-worker');
const answer = words.includes('cp.list_master') ? ${JSON.stringify(files.filter((path) => path?.includes('etcdctl') !== true))} : true;
console.log(JSON.stringify(Object.fromEntries(servers.map((id) => [id, answer]))));
`;

let folder: string;
const at = (...parts: readonly string[]) => join(folder, ...parts);
const write = (name: string, text: string, mode = 0o600): void => writeFileSync(at(name), text, { mode });
function fleet(verb: string, ...words: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(join(root, 'bin/tideline'), ['fleet', verb, at('spec'), ...words], {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${at('bin')}:${process.env['PATH'] ?? ''}` },
  });
  return { status, said: `${stdout}${stderr}` };
}
const check = (...more: readonly string[]) => fleet('check', '--against', at('out'), ...more);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tideline-check-'));
  mkdirSync(at('spec'));
  mkdirSync(at('bin'));
  write('bin/salt', salt);
  chmodSync(at('bin/salt'), 0o755);
  write('spec/fleet.yaml', spec);
  write('passphrase', 'a passphrase of some length\n');
  expect(fleet('compile', '--out', at('out')).status).toBe(0);
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

it('names what is not signed and which secrets are missing, and nothing once both are there', () => {
  const before = check();
  expect(before.status).toBe(1);
  expect(before.said).toMatch(/^certificates are not signed: par-/m);
  expect(before.said).toMatch(/^there is no authority paris\/etcd: par-/m);
  expect(before.said).toMatch(/^the secret paris\/encryption is missing: par-a-master par-b-master par-c-master$/m);
  sign();
  expect(check()).toEqual({ status: 0, said: 'nothing stands against an apply\n' });
});

it('names a freeze for as long as it lasts', () => {
  write(
    'spec/freeze.yaml',
    'apiVersion: tideline.dev/v1alpha1\nkind: Freeze\nmetadata: { name: platform }\nspec: { reason: a test, by: me, since: "2026-01-01T00:00:00Z" }\n',
  );
  const { status, said } = check('-o', 'json');
  expect(status).toBe(1);
  const { standing } = JSON.parse(said) as { standing: readonly { problem: string }[] };
  expect(standing.map(({ problem }) => problem)).toEqual([expect.stringContaining('a test')]);
  rmSync(at('spec/freeze.yaml'));
  expect(check().status).toBe(0);
});

it('asks servers and the file server of Salt where its configuration is named', () => {
  const { status, said } = check('--salt-config', at('bin'));
  expect(status).toBe(1);
  expect(said.split('\n').filter((line) => /^\S/.test(line))).toEqual([
    'does not answer: par-b-worker',
    'the file server of Salt has no files/etcdctl-3.6.8: par-a-master par-b-master par-c-master',
  ]);
});

it('names a run that did not end well, and how to go on', () => {
  const checksum = /^checksum: (\S+)$/m.exec(fleet('plan', '--against', at('out')).said)?.[1] ?? '';
  const applied = spawnSync(
    join(root, 'bin/tideline'),
    ['fleet', 'apply', checksum, at('spec'), '--against', at('out')],
    {
      encoding: 'utf8',
      env: { ...process.env, PATH: `${at('bin')}:${process.env['PATH'] ?? ''}` },
    },
  );
  expect(applied.status).toBe(1);
  const { status, said } = check();
  expect(status).toBe(1);
  expect(said).toMatch(/^run \S+ \(apply\) did not end well \(failed\)\n {2}go on with it by the same command/);
});

/** Every server hands in public keys, and everything is signed. */
function sign(): void {
  const plans = JSON.parse(readFileSync(at('out/pki-plan.json'), 'utf8')) as Record<string, { key: string }[]>;
  const keyOf = (): string =>
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const keys = Object.entries(plans).map(([server, planned]) => [
    server,
    Object.fromEntries(planned.map(({ key }) => [key, keyOf()])),
  ]);
  write('keys.json', JSON.stringify(Object.fromEntries(keys)));
  const words = ['--public-keys', at('keys.json'), '--authorities', at('safe'), '--passphrase-file', at('passphrase')];
  expect(fleet('sign', ...words, '--out', at('out'), '--create-authorities', '--yes').status).toBe(0);
  expect(fleet('compile', '--out', at('out')).status).toBe(0);
}
