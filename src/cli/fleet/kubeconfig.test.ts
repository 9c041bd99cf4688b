import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../../..');
const spec = join(root, 'test/golden/check/valid-fleet/input.yaml');
let folder: string;
const at = (...parts: readonly string[]) => join(folder, ...parts);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tideline-kubeconfig-'));
  writeFileSync(at('passphrase'), 'a passphrase of some length\n', { mode: 0o600 });
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function kubeconfig(cluster: string, ...more: readonly string[]) {
  const safe = ['--authorities', at('safe'), '--passphrase-file', at('passphrase'), '--out', at('kubeconfig')];
  const words = ['fleet', 'kubeconfig', cluster, spec, ...safe, ...more];
  const { status, stdout, stderr } = spawnSync(join(root, 'bin/tideline'), words, { encoding: 'utf8' });
  return { status, said: `${stdout}${stderr}` };
}
const text = (base64: string): string => Buffer.from(base64, 'base64').toString();

it('signs a person by the authority of the cluster, for hours, in a file for its owner alone', () => {
  expect(kubeconfig('paris', '--create-authorities', '--hours', '2').status).toBe(0);
  expect(statSync(at('kubeconfig')).mode & 0o777).toBe(0o600);
  const { clusters, users } = JSON.parse(readFileSync(at('kubeconfig'), 'utf8')) as {
    readonly clusters: readonly { readonly cluster: Readonly<Record<string, string>> }[];
    readonly users: readonly { readonly name: string; readonly user: Readonly<Record<string, string>> }[];
  };
  const cluster = clusters[0]?.cluster ?? {};
  expect(cluster['server']).toMatch(/^https:\/\/[^/]+:6443$/);
  const trusted = text(cluster['certificate-authority-data'] ?? '');
  expect(trusted).toBe(readFileSync(at('safe/paris/kubernetes.crt'), 'utf8'));
  const certificate = new X509Certificate(text(users[0]?.user['client-certificate-data'] ?? ''));
  expect(certificate.checkIssued(new X509Certificate(trusted))).toBe(true);
  expect(certificate.subject).toContain('O=system:masters');
  expect(certificate.subject).toContain(`CN=${users[0]?.name ?? ''}`);
  const left = certificate.validToDate.getTime() - Date.now();
  expect(left).toBeGreaterThan(1.9 * 3_600_000);
  expect(left).toBeLessThan(2.1 * 3_600_000);
});

it('makes every authority of a new cluster when it is told, and keeps those that are there', () => {
  const refused = kubeconfig('paris');
  expect(refused).toMatchObject({ status: 2 });
  expect(refused.said).toMatch(/there is no authority paris\/kubernetes.*--create-authorities/s);
  kubeconfig('paris', '--create-authorities');
  const files = readdirSync(at('safe/paris')).toSorted();
  expect(files).toEqual(['etcd', 'front-proxy', 'kubernetes'].flatMap((name) => [`${name}.crt`, `${name}.key`]));
  const before = readFileSync(at('safe/paris/kubernetes.crt'), 'utf8');
  expect(kubeconfig('paris', '--create-authorities', '--group', 'tideline:fleet').said).toContain('of tideline:fleet,');
  expect(readFileSync(at('safe/paris/kubernetes.crt'), 'utf8')).toBe(before);
});
