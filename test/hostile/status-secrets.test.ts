import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { get } from '../../src/observe/ask.ts';
import { readTlsFiles } from '../../src/runtime/tls/material.ts';
import { createAuthority } from '../support/authority.ts';
import { eventually } from '../support/eventually.ts';
import { type TlsFolder, tlsFolder } from '../support/tls-files.ts';

/**
 * Nothing that an agent knows and should not tell stands in what it answers to who may ask: secrets are planted in every input, some
 * where a mistake makes an error message of them.
 */
const planted = {
  environment: 'planted-in-the-environment-7f3a',
  proxy: 'planted-in-the-proxy-7f3b',
  token: 'planted-in-the-kubeconfig-7f3c',
  server: 'planted-in-the-server-7f3d',
  secret: 'planted-in-a-secret-7f3e',
  other: 'planted-in-another-secret-7f3f',
};
const authority = createAuthority('the platform');
const tenant = createAuthority('a tenant').issue({ commonName: 'www.video.example', hosts: ['www.video.example'] });

let folder: string;
let files: TlsFolder;
let agent: ChildProcess | undefined;
/** What the agent logs. */
let log = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tideline-secrets-'));
  files = tlsFolder(authority, { commonName: 'a server', hosts: ['127.0.0.1'] });
});
afterEach(() => {
  agent?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
  files.remove();
});

const base64 = (text: string): string => Buffer.from(text).toString('base64');

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await new Promise((done) => server.close(done));
  return port;
}

function start(...words: readonly string[]): void {
  const secret = planted.environment;
  const proxy = `http://somebody:${planted.proxy}@127.0.0.1:9`;
  const env = {
    ...process.env,
    AWS_SECRET_ACCESS_KEY: secret,
    AWS_SESSION_TOKEN: secret,
    POWERDNS_API_KEY: secret,
    https_proxy: proxy,
    HTTPS_PROXY: proxy,
  };
  const options = ['--run-dir', join(folder, 'run'), ...files.options];
  agent = spawn(process.execPath, [resolve('src/cli/main.ts'), ...words, ...options], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  log = '';
  agent.stderr?.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
}

/** Everything that the agent answers and logs, once `ready` finds what it waits for in the status. */
async function everything(port: number, ready: RegExp): Promise<string> {
  const material = await readTlsFiles(files.files);
  const ask = (path: string): Promise<string> =>
    get({ address: '127.0.0.1', port }, { timeoutMs: 5000, access: { material: () => material, grace: false } }, path);
  await eventually('the agent has read its input', async () => ready.test(await ask('/status')), {
    timeoutMs: 60_000,
    everyMs: 200,
    show: () => log,
  });
  const paths = ['/status', '/metrics', '/history?since=0', '/vips', '/status/route?host=www.video.example&path=/'];
  const answers = await Promise.all(paths.map((path) => ask(path).catch(() => '')));
  return [...answers, log].join('\n');
}

/** The planted secrets that stand in a text, in whatever form. */
function toldIn(text: string): readonly string[] {
  const keyLines = (pem: string): readonly string[] => pem.split('\n').slice(1, -2);
  const ownKey = readFileSync(files.files.key, 'utf8');
  const all = [
    ...Object.values(planted),
    ...keyLines(tenant.key),
    ...keyLines(ownKey),
    base64(tenant.key).slice(0, 60),
  ];
  return all.filter((secret) => text.includes(secret) || text.includes(base64(secret).replace(/=+$/, '')));
}

/** The files that an agent keeps for everybody to read: none but those of mode 0600 may hold a secret. */
function readableFiles(): string {
  const paths = readdirSync(join(folder, 'run'), { recursive: true, encoding: 'utf8' });
  const open = paths
    .map((path) => join(folder, 'run', path))
    .filter((path) => {
      const { mode } = statSync(path);
      return statSync(path).isFile() && (mode & 0o077) !== 0 && !path.includes('cache');
    });
  return open.map((path) => readFileSync(path, 'latin1')).join('\n');
}

it('a blade tells no key of a tenant, nor its own', async () => {
  cpSync('examples/hybrid', join(folder, 'platform'), { recursive: true });
  const secret = (name: string, type: string, data: Readonly<Record<string, string>>) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    type,
    metadata: { name, namespace: 'video', annotations: { note: planted.other } },
    data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, base64(value)])),
  });
  const ingress = (name: string, host: string) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace: 'video', annotations: { 'nginx.ingress.kubernetes.io/auth-secret': 'users' } },
    spec: {
      ingressClassName: 'tideline',
      tls: [{ hosts: [host], secretName: name }],
      rules: [
        {
          host,
          http: {
            paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'x', port: { number: 1 } } } }],
          },
        },
      ],
    },
  });
  const objects = [
    secret('good', 'kubernetes.io/tls', { 'tls.crt': tenant.certificate, 'tls.key': tenant.key }),
    // The key is none, so that there is something to complain about.
    secret('bad', 'kubernetes.io/tls', { 'tls.crt': tenant.certificate, 'tls.key': planted.secret }),
    secret('users', 'Opaque', { auth: planted.other }),
    ingress('good', 'good.video.example'),
    ingress('bad', 'bad.video.example'),
  ];
  const manifests = join(folder, 'platform/clusters/paris');
  mkdirSync(manifests, { recursive: true });
  writeFileSync(join(manifests, 'planted.yaml'), objects.map((object) => JSON.stringify(object)).join('\n---\n'));
  const port = await freePort();
  const at = ['--platform', join(folder, 'platform'), '--metrics-address', `127.0.0.1:${port}`];
  start('edge', 'agent', ...at, '--pool', 'paris-edge', '--blade', 'paris-blade-1', '--manifests', manifests);
  const told = await everything(port, /"source":\{"phase":"live"/);
  expect(told).toContain('tideline_endpoint_certificate_end_timestamp_seconds');
  expect(toldIn(told)).toEqual([]);
  expect(toldIn(readableFiles())).toEqual([]);
});

it('a worker tells no credential of its cluster', async () => {
  const kubeconfig = join(folder, 'kubeconfig');
  const port = await freePort();
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'paris',
      clusters: [{ name: 'paris', cluster: { server: `https://somebody:${planted.server}@127.0.0.1:9` } }],
      users: [{ name: 'worker', user: { token: planted.token } }],
      contexts: [{ name: 'paris', context: { cluster: 'paris', user: 'worker' } }],
    }),
  );
  const at = ['--platform', 'examples/hybrid', '--metrics-address', `127.0.0.1:${port}`, '--kubeconfig', kubeconfig];
  start('network', 'agent', ...at, '--cluster', 'paris', '--node', 'paris-worker-1');
  const told = await everything(port, /"reason":"(?:Unreachable|NoCredentials|Source\w+)"/);
  expect(toldIn(told)).toEqual([]);
  expect(toldIn(readableFiles())).toEqual([]);
});
