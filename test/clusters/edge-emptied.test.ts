import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { ControlPlane } from '../../lab/control-plane/control-plane.ts';
import { runFiles } from '../../src/model/contract.ts';
import { selfSigned } from '../../src/planes/edge/nginx/certificate.ts';
import { ask } from '../integration/edge/client.ts';
import { World } from '../integration/edge/world.ts';
import { eventually, startTestControlPlane } from '../support/clusters/control-plane.ts';
import { videoIngress } from '../support/clusters/objects.ts';
import { watchRoutes } from '../support/daemons/route-monitor.ts';
import { Administrator } from '../support/systemd/administrator.ts';
import { taskNamed } from '../support/tasks.ts';

// A blade with real nginx, ExaBGP and BIRD reads a real API server, whose etcd is emptied while the agent does not run.
const hosts = Array.from({ length: 15 }, (_, index) => `h${index}.video.example`);
const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'video' },
  spec: { ports: [{ port: 80 }] },
};

const secure = 'tls.video.example';

let world: World;
let folder = '';
let plane: ControlPlane;
let kubeconfig: string;

const install = async (): Promise<void> => {
  await plane.kubectl(['create', 'namespace', 'video']);
  await plane.kubectl(['create', 'namespace', 'tideline-system']);
  const rights = parseAllDocuments(await readFile(join(import.meta.dirname, '../../deploy/rbac/edge.yaml'), 'utf8'));
  await plane.apply(...rights.map((document) => document.toJS() as object), service);
};
const served = async (): Promise<number> => {
  const answers = await Promise.all(hosts.map((host) => ask(host).catch(() => ({ status: 0 }))));
  return answers.filter(({ status }) => status === 200).length;
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-tasks-'));
  world = await World.create({ 'web.yaml': [service] });
  const [blade, other] = world.blades;
  await other.stop();
  plane = await startTestControlPlane({ address: '10.9.0.2' });
  await install();
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'web-1', namespace: 'video', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    ports: [{ name: '', port: 3000 }],
    endpoints: [{ addresses: [await world.pod('one', 1)], conditions: { ready: true } }],
  };
  await plane.apply(slice, ...hosts.map((host, index) => videoIngress(`h${index}`, host)));
  await blade.agent.stop();
  // The state of the folder, which the blade served before, is not that of this cluster.
  await rm(join(blade.runDir, runFiles.edgeSnapshot));
  kubeconfig = await plane.kubeconfigFor({ user: 'tideline:edge:paris-blade-1', groups: ['tideline:edge'] });
  blade.startAgent('--kubeconfig', kubeconfig);
  await eventually(async () => (await served()) === hosts.length, { timeoutMs: 120_000 });
  await eventually(async () =>
    (await readFile(join(blade.runDir, runFiles.edgeSnapshot), 'utf8')).includes('h14.video.example'),
  );
});

afterAll(async () => {
  await world?.destroy();
  await plane?.stop();
  await rm(folder, { recursive: true, force: true });
});

it('rotate a certificate', async () => {
  const [rotate = ''] = taskNamed('rotate a certificate').commands;
  const administrator = new Administrator(plane, folder);
  for (const name of ['first.video.example', 'second.video.example']) {
    const { certificate, key } = selfSigned(name, Date.now());
    await Promise.all([writeFile(join(folder, 'web.crt'), certificate), writeFile(join(folder, 'web.key'), key)]);
    await administrator.sh(rotate);
    await plane.apply(videoIngress('tls', secure, { tls: [{ hosts: [secure], secretName: 'web-tls' }] }));
    await eventually(async () => {
      const { status, certificate: presented } = await ask(secure, '/', { tls: true });
      return status === 200 && presented === name;
    });
  }
});

it('a start is no amnesty: the hosts are served, the VIP is announced and the last-good state stays', async () => {
  const [blade] = world.blades;
  const routed = await world.routed();
  expect(routed).toEqual([blade.address]);
  const routes = await watchRoutes(world.network, 'tor');
  await blade.agent.stop();
  await plane.end('kube-controller-manager');
  await plane.end('kube-scheduler');
  await plane.end('kube-apiserver');
  await plane.end('etcd');
  await rm(join(plane.folder, 'etcd'), { recursive: true });
  await plane.start('etcd');
  await plane.start('kube-apiserver');
  await install();
  blade.startAgent('--kubeconfig', kubeconfig);
  await eventually(async () => {
    const { source } = await blade.status();
    return source.reason === 'SourceOfOtherCluster' && source.servingSnapshot;
  });
  await new Promise((resolve) => setTimeout(resolve, 5000));
  expect(await served()).toBe(hosts.length);
  expect(await world.routed()).toEqual(routed);
  expect(await routes()).toEqual([]);
  expect(await readFile(join(blade.runDir, runFiles.edgeSnapshot), 'utf8')).toContain('h14.video.example');
  const { metadata } = await plane.read<{ readonly metadata: { readonly uid: string } }>(
    '/api/v1/namespaces/kube-system',
  );
  expect((await blade.status()).source.message).toContain(metadata.uid);
  await writeFile(join(blade.runDir, 'accept-edge-paris'), metadata.uid);
  await eventually(async () => (await served()) === 0);
  expect((await blade.status()).source).toMatchObject({ phase: 'live', servingSnapshot: false });
});
