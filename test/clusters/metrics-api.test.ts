import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ControlPlane } from '../../lab/control-plane/control-plane.ts';
import { createAuthority } from '../../lab/control-plane/pki/certificate.ts';
import { metricsApiName } from '../../src/model/contract.ts';
import { eventually, startTestControlPlane } from '../support/clusters/control-plane.ts';
import { objectsOf } from '../support/clusters/pool-definition.ts';
import { ServeProcess } from '../support/scaling/serve-process.ts';
import { runTideline } from '../support/steering/command.ts';

/**
 * Autoscalers of a real cluster that follow floors by the metrics APIs: through the aggregator, by the rights of `deploy/rbac/scaling.yaml`, and with
 * servers that die.
 */
const run = promisify(execFile);
const authority = createAuthority('scaling');
const addresses = ['10.77.0.1', '10.77.0.2'] as const;
let plane: ControlPlane;
let folder: string;
const servers = new Map<string, ServeProcess>();

const spec = (): string => join(folder, 'spec');
const demandFile = (): string => join(folder, 'demand.json');

/** A floor of so many replicas: each takes 90 of 100 calls a second when Paris is lost. */
async function demand(replicas: number): Promise<void> {
  const requestsPerSecond = { FR: 90 * replicas };
  await writeFile(demandFile(), JSON.stringify({ measuredAt: new Date().toISOString(), requestsPerSecond }));
}

async function serve(address: string): Promise<ServeProcess> {
  const state = await mkdtemp(join(folder, 'run-'));
  const { certificate, key } = authority.issue({ commonName: 'tideline-scaling', hosts: [metricsApiName] });
  const files = { cert: join(state, 'tls.crt'), key: join(state, 'tls.key') };
  await writeFile(files.cert, certificate);
  await writeFile(files.key, key);
  const process = new ServeProcess(
    [
      ['--cluster', 'cloud', '--platform', spec(), '--demand', demandFile(), '--margin', '0', '--every', '1'],
      ['--serving-cert', files.cert, '--serving-key', files.key, '--listen', `${address}:9467`],
      ['--announce', address, '--run-dir', state],
    ].flat(),
  );
  servers.set(address, process);
  return process;
}

const workload = (name: string): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'video' },
  spec: {
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name, image: 'lab.example/pod:1' }] },
    },
  },
});

/** `tolerance` where it is not that of the cluster, a tenth. */
const autoscaler = (name: string, averageValue: string, tolerance?: string): object => {
  const own = tolerance === undefined ? {} : { tolerance };
  // By default an autoscaler doubles in 15 seconds.
  const scaleUp = { policies: [{ type: 'Pods', value: 1000, periodSeconds: 1 }], ...own };
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name, namespace: 'video' },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      minReplicas: 1,
      maxReplicas: 400,
      behavior: { scaleUp, scaleDown: own },
      metrics: [
        {
          type: 'External',
          external: {
            metric: { name: 'tideline_floor_replicas', selector: { matchLabels: { target: 'exact-europe' } } },
            target: { type: 'AverageValue', averageValue },
          },
        },
      ],
    },
  };
};

const target = (name: string): string => `---
apiVersion: tideline.dev/v1alpha1
kind: ScalingTarget
metadata: { name: ${name}-europe }
spec:
  cluster: cloud
  site: cloud-europe
  workload: { kind: HorizontalPodAutoscaler, namespace: video, name: ${name} }
  policies: [video]
  callsPerSecond: 100
  replicas: { min: 1, max: 400 }
  readySeconds: 60
`;

const replicasOf = async (name: string): Promise<number> =>
  Number(await plane.kubectl(['-n', 'video', 'get', 'deployment', name, '-o', 'jsonpath={.spec.replicas}']));
const raw = (path: string, kubeconfig?: string): Promise<string> =>
  plane.kubectl([...(kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig]), 'get', '--raw', path]);

async function isAvailable(name: string): Promise<string> {
  const path =
    '{.status.conditions[?(@.type=="Available")].status} {.status.conditions[?(@.type=="Available")].reason}';
  return plane.kubectl(['get', 'apiservice', name, '-o', `jsonpath=${path}`]);
}

async function render(...more: readonly string[]): Promise<string> {
  const ca = join(folder, 'ca.crt');
  await writeFile(ca, authority.certificate);
  const { code, out, err } = await runTideline({}, ['scaling', 'render', '--ca', ca, ...more]);
  expect([code, err]).toEqual([0, '']);
  return out;
}

beforeAll(async () => {
  for (const address of addresses) await run('ip', ['address', 'add', `${address}/32`, 'dev', 'lo']);
  folder = await mkdtemp(join(tmpdir(), 'tideline-metrics-api-'));
  plane = await startTestControlPlane({
    flags: { 'kube-controller-manager': { 'horizontal-pod-autoscaler-sync-period': '1s' } },
  });
  await plane.apply(...(await objectsOf('deploy/namespace.yaml')), ...(await objectsOf('deploy/rbac/scaling.yaml')));
  await plane.kubectl(['create', 'namespace', 'video']);
  await cp('examples/hybrid', spec(), { recursive: true });
  const file = join(spec(), 'clusters.yaml');
  const kubeconfig = await plane.kubeconfigFor({ user: 'scaling-1', groups: ['tideline:scaling'] });
  const clusters = (await readFile(file, 'utf8')).replace(
    'source: { none: true }',
    `source: { kubeconfig: ${kubeconfig} }`,
  );
  await writeFile(file, `${clusters.trimEnd()}\n${target('exact')}`);
  await demand(91);
});

afterAll(async () => {
  await Promise.all([...servers.values()].map((process) => process.end('SIGKILL')));
  await plane?.stop();
  await rm(folder, { recursive: true, force: true });
});

it('is found by the aggregator', async () => {
  const server = await serve(addresses[0]);
  await (await serve(addresses[1])).tells('exact-europe', 91);
  await server.tells('exact-europe', 91);
  await plane.kubectl(['apply', '-f', '-'], await render());
  for (const name of [
    'v1beta1.external.metrics.k8s.io',
    'v1beta1.custom.metrics.k8s.io',
    'v1beta2.custom.metrics.k8s.io',
  ])
    await eventually(async () => (await isAvailable(name)) === 'True Passed');
  const path = '/apis/external.metrics.k8s.io/v1beta1/namespaces/video/tideline_floor_replicas';
  expect(JSON.parse(await raw(path))).toMatchObject({
    kind: 'ExternalMetricValueList',
    items: [{ metricName: 'tideline_floor_replicas', metricLabels: { target: 'exact-europe' }, value: '91' }],
  });
  const resources = await plane.kubectl(['api-resources', '--api-group=external.metrics.k8s.io', '-o', 'name']);
  expect(resources).toContain('tideline_floor_replicas.external.metrics.k8s.io');
});

it('is followed exactly where the autoscaler has no tolerance, never from below where it has, and describes its objects', async () => {
  await plane.apply(workload('exact'), autoscaler('exact', '1', '0'), workload('padded'), autoscaler('padded', '909m'));
  for (const floor of [91, 100, 108, 111]) {
    await demand(floor);
    await eventually(async () => (await replicasOf('exact')) === floor);
    await eventually(async () => (await replicasOf('padded')) >= floor);
    expect(await replicasOf('padded')).toBeLessThanOrEqual(Math.ceil(floor * 1.25));
  }
  const deployment =
    '/apis/custom.metrics.k8s.io/v1beta2/namespaces/video/deployments.apps/exact/tideline_floor_replicas';
  await eventually(async () => (await raw(deployment).catch(() => '')) !== '');
  expect(JSON.parse(await raw(deployment))).toMatchObject({
    items: [{ describedObject: { kind: 'Deployment', name: 'exact' }, value: '111' }],
  });
});

it('says to people what it tells autoscalers', async () => {
  const { hostname, port } = new URL(servers.get(addresses[0])?.endpoint ?? '');
  const { code, out } = await runTideline({}, ['scaling', 'status', '--agent', `${hostname}:${port}`]);
  // No kubelet runs here, so no replica is ever Ready.
  expect([code, out]).toEqual([
    1,
    expect.stringContaining('exact-europe: 111 replicas because of the loss of site paris, 0 Ready') as string,
  ]);
});

it('lets nobody read who may not, and believes no headers but those of the proxy', async () => {
  const path = '/apis/external.metrics.k8s.io/v1beta1/namespaces/video/tideline_floor_replicas';
  const stranger = await plane.kubeconfigFor({ user: 'mallory' });
  await expect(raw(path, stranger)).rejects.toThrow(/forbidden/i);
  const account = await plane.kubeconfigForServiceAccount('video', 'reader');
  await expect(raw(path, account)).rejects.toThrow(/forbidden/i);
  await plane.kubectl([
    'create',
    'clusterrolebinding',
    'reader',
    '--clusterrole=tideline-scaling-metrics-reader',
    '--serviceaccount=video:reader',
  ]);
  // What a cluster forbade is believed for ten seconds.
  await eventually(async () => (await raw(path, account).catch(() => '')).includes('exact-europe'));
});

it('one of two servers that is told to end costs no autoscaler anything', async () => {
  const failed = async (): Promise<string> =>
    plane.kubectl(['-n', 'video', 'get', 'events', '--field-selector', 'reason=FailedGetExternalMetric', '-o', 'name']);
  expect(await failed()).toBe('');
  await servers.get(addresses[1])?.end('SIGTERM');
  const floor = 115;
  await demand(floor);
  await eventually(async () => (await replicasOf('exact')) === floor);
  expect(await failed()).toBe('');
});

it('keeps replicas while nobody answers, and a namespace that is deleted meanwhile goes when the APIServices are gone', async () => {
  await servers.get(addresses[0])?.end('SIGKILL');
  await eventually(async () => (await isAvailable('v1beta1.external.metrics.k8s.io')).startsWith('False'));
  await eventually(async () => {
    const path = '{.status.conditions[?(@.type=="ScalingActive")].reason}';
    return (
      (await plane.kubectl(['-n', 'video', 'get', 'hpa', 'exact', '-o', `jsonpath=${path}`])) ===
      'FailedGetExternalMetric'
    );
  });
  expect(await replicasOf('exact')).toBe(115);
  await plane.kubectl(['create', 'namespace', 'short-lived']);
  await plane.kubectl(['delete', 'namespace', 'short-lived', '--wait=false']);
  const phase = (): Promise<string> =>
    plane.kubectl([
      'get',
      'namespace',
      'short-lived',
      '--ignore-not-found',
      '-o',
      'jsonpath={.status.conditions[?(@.type=="NamespaceDeletionDiscoveryFailure")].status}',
    ]);
  await eventually(async () => (await phase()) === 'True');
  await plane.kubectl([
    'delete',
    'apiservice',
    'v1beta1.external.metrics.k8s.io',
    'v1beta1.custom.metrics.k8s.io',
    'v1beta2.custom.metrics.k8s.io',
  ]);
  await eventually(
    async () => (await plane.kubectl(['get', 'namespace', 'short-lived', '--ignore-not-found', '-o', 'name'])) === '',
  );
  expect(await replicasOf('exact')).toBe(115);
});

it('a wrong authority is found by the aggregator, and the right one mends it', async () => {
  await serve(addresses[0]);
  await (await serve(addresses[1])).tells('exact-europe', 115);
  const other = join(folder, 'other.crt');
  await writeFile(other, createAuthority('other').certificate);
  await plane.kubectl(['apply', '-f', '-'], await render('--ca', other));
  const name = 'v1beta1.external.metrics.k8s.io';
  await eventually(async () => (await isAvailable(name)) === 'False FailedDiscoveryCheck');
  await plane.kubectl(['apply', '-f', '-'], await render());
  await eventually(async () => (await isAvailable(name)) === 'True Passed');
  expect(await replicasOf('exact')).toBe(115);
});
