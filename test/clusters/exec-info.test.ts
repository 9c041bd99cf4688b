import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findBinaries } from '../../lab/control-plane/binaries.ts';
import { createAuthority } from '../../lab/control-plane/pki/certificate.ts';
import { KubeconfigAccess } from '../../src/kube/api/access/kubeconfig.ts';
import { systemClock } from '../../src/runtime/clock.ts';

/** What an exec plugin is told, by us and by the real client-go (kubectl) with the same kubeconfig. Nothing answers at the server's address. */
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'exec-info-'));
  const plugin = join(folder, 'plugin');
  const credential = '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t"}}';
  await writeFile(plugin, `#!/bin/sh\nprintf %s "$KUBERNETES_EXEC_INFO" >"$OUT"\necho '${credential}'\n`);
  await chmod(plugin, 0o755);
  await writeFile(join(folder, 'ca.crt'), createAuthority('file').certificate);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const data = Buffer.from(createAuthority('inline').certificate).toString('base64');
const extensions = [
  { name: 'other', extension: { not: 'this' } },
  { name: 'client.authentication.k8s.io/exec', extension: { audience: 'tideline', list: [1, 2] } },
];
const server = 'https://127.0.0.1:1';
const cases: readonly (readonly [string, object, object])[] = [
  ['nothing when it does not ask', { server, 'certificate-authority-data': data }, {}],
  ['server and authority', { server, 'certificate-authority-data': data }, { provideClusterInfo: true }],
  ['an authority in a file', { server, 'certificate-authority': 'ca.crt' }, { provideClusterInfo: true }],
  ['name and extension', { server, 'tls-server-name': 'api.example', extensions }, { provideClusterInfo: true }],
  ['no verification', { server, 'insecure-skip-tls-verify': true }, { provideClusterInfo: true }],
  [
    'the truth, also where a variable of that name is set',
    { server, 'proxy-url': 'http://127.0.0.1:1' },
    { provideClusterInfo: true, env: [{ name: 'KUBERNETES_EXEC_INFO', value: '{}' }] },
  ],
];

it.each(cases)('tells an exec plugin what kubectl tells it: %s', async (_, cluster, exec) => {
  const [ours, theirs] = ['ours', 'theirs'].map((name) => join(folder, name)) as [string, string];
  const write = async (out: string): Promise<string> => {
    const { env = [], ...more } = exec as { readonly env?: readonly object[] };
    const plugin = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: './plugin',
      interactiveMode: 'Never',
      env: [...env, { name: 'OUT', value: out }],
      ...more,
    };
    const file = join(folder, 'kubeconfig');
    const content = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster }],
      users: [{ name: 'u', user: { exec: plugin } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    };
    await writeFile(file, JSON.stringify(content));
    return file;
  };
  const { kubectl } = await findBinaries(process.env);
  const asked = ['--kubeconfig', await write(theirs), 'get', '--raw', '/version', '--request-timeout=5s'];
  await new Promise<void>((resolve) => execFile(kubectl, asked, () => resolve()));
  await new KubeconfigAccess({ file: await write(ours), clock: systemClock }).read();
  const told = async (file: string): Promise<unknown> => JSON.parse(await readFile(file, 'utf8'));
  expect(await told(ours)).toEqual(await told(theirs));
});
