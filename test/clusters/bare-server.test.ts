import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ControlPlane } from '../../lab/control-plane/control-plane.ts';
import { Network } from '../../lab/net/network.ts';
import type { Server } from '../../lab/servers/server.ts';
import { eventually } from '../support/clusters/control-plane.ts';
import { bootLoneWorker, image } from '../support/servers/lone-worker.ts';

const network = new Network();
const name = `worker${Date.now() % 100_000}`;
let folder: string;
let plane: ControlPlane;
let worker: Server;

const cni = {
  cniVersion: '0.4.0',
  name: 'pods',
  plugins: [{ type: 'bridge', bridge: 'pods0', isGateway: true, ipam: { type: 'host-local', subnet: '10.78.0.0/26' } }],
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-bare-'));
  const lone = await bootLoneWorker({ network, folder, name });
  ({ plane, worker } = lone);
  await worker.write('/etc/cni/net.d/10-pods.conflist', JSON.stringify(cni));
  await lone.start();
});

afterAll(async () => {
  await plane?.stop();
  await worker?.remove();
  await network.destroy();
  await rm(folder, { recursive: true, force: true });
});

interface Conditions {
  readonly status?: {
    readonly podIP?: string;
    readonly nodeInfo?: { readonly kubeletVersion: string };
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** Resolves with the object at the path once it is Ready. */
const ready = (path: string): Promise<Conditions> =>
  eventually(`${path} is Ready`, async () => {
    const object = await plane.read<Conditions>(path);
    return object.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') && object;
  });

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'first', namespace: 'default' },
  spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'only', image, imagePullPolicy: 'Never' }] },
};

describe('a bare server', () => {
  test('becomes a Ready node of a real control plane', async () => {
    const node = await ready(`/api/v1/nodes/${name}`);
    expect(await worker.exec('kubelet --version')).toBe(`Kubernetes ${node.status?.nodeInfo?.kubeletVersion}\n`);
  });

  test('runs a pod, whose container is a process of the server', async () => {
    await plane.apply(pod);
    const { status } = await ready('/api/v1/namespaces/default/pods/first');
    expect(status?.podIP).toMatch(/^10\.78\.0\./);
    expect(await worker.exec('pgrep -c sleep')).toBe('2\n');
    expect(await worker.exec(`ping -c 1 -W 5 ${status?.podIP}`)).toContain('1 received');
  });

  test('has its pod again after a power cut', async () => {
    await worker.powerCut();
    await worker.powerOn();
    await eventually('the pod runs again', async () => (await worker.exec('pgrep -c sleep || true')) === '2\n');
    await ready('/api/v1/namespaces/default/pods/first');
  });
});
