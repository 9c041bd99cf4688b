import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ControlPlane } from '../../lab/control-plane/control-plane.ts';
import { scalingNeeds } from '../../src/planes/scaling/needs.ts';
import { eventually, startTestControlPlane } from '../support/clusters/control-plane.ts';
import { type Ran, runTideline } from '../support/steering/command.ts';

/** Floors that are handed to a real autoscaler, by somebody who has the rights of `needs.ts` and no others. */
let plane: ControlPlane;
let folder: string;

const names = ['web', 'owned'] as const;

const deployment = (name: string) => ({
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

const autoscaler = (name: string, minReplicas?: number) => ({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name, namespace: 'video' },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
    ...(minReplicas === undefined ? {} : { minReplicas }),
    maxReplicas: 50,
    metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } } }],
  },
});

const target = (name: string, site: string) => `---
apiVersion: tideline.dev/v1alpha1
kind: ScalingTarget
metadata: { name: ${name}-${site} }
spec:
  cluster: cloud
  site: ${site}
  workload: { kind: HorizontalPodAutoscaler, namespace: video, name: ${name} }
  policies: [video]
  callsPerSecond: 100
  replicas: { min: 1, max: 50 }
  readySeconds: 60
`;

const minimumOf = (name: string): Promise<string> =>
  plane.kubectl(['-n', 'video', 'get', 'hpa', name, '-o', 'jsonpath={.spec.minReplicas}']);
const replicasOf = (name: string): Promise<string> =>
  plane.kubectl(['-n', 'video', 'get', 'deployment', name, '-o', 'jsonpath={.spec.replicas}']);

/** 900 of France come to the cloud when Paris is lost: ten replicas at 90 % of 100 each, and two more for the 100 of Germany. */
async function tideline(verb: string, ...more: readonly string[]): Promise<Ran> {
  const demand = join(folder, 'demand.json');
  const requestsPerSecond = { FR: 900, DE: 100, US: 500 };
  await writeFile(demand, JSON.stringify({ measuredAt: new Date().toISOString(), requestsPerSecond }));
  const words = ['scaling', verb, join(folder, 'spec'), '--demand', demand, '--margin', '0'];
  return runTideline({ XDG_STATE_HOME: folder, TIDELINE_HISTORY: join(folder, 'history.jsonl') }, [...words, ...more]);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-scaling-'));
  plane = await startTestControlPlane();
  await plane.kubectl(['create', 'namespace', 'video']);
  await plane.apply(...names.map(deployment), ...names.map((name) => autoscaler(name)));
  const owned = JSON.stringify(autoscaler('owned', 2));
  await plane.kubectl(
    ['apply', '--server-side', '--force-conflicts', '--field-manager=argocd-controller', '-f', '-'],
    owned,
  );
  const group = 'rbac.authorization.k8s.io';
  const metadata = { name: 'scaling' };
  const rules = scalingNeeds.flatMap(({ of, verbs }) =>
    'resource' in of ? [{ apiGroups: [of.apiGroup], resources: [of.resource], verbs }] : [],
  );
  await plane.apply(
    { apiVersion: `${group}/v1`, kind: 'ClusterRole', metadata, rules },
    {
      apiVersion: `${group}/v1`,
      kind: 'ClusterRoleBinding',
      metadata,
      roleRef: { apiGroup: group, kind: 'ClusterRole', name: 'scaling' },
      subjects: [{ apiGroup: group, kind: 'User', name: 'anna' }],
    },
  );
  const spec = join(folder, 'spec');
  await cp('examples/hybrid', spec, { recursive: true });
  const file = join(spec, 'clusters.yaml');
  const source = `source: { kubeconfig: ${await plane.kubeconfigFor({ user: 'anna' })} }`;
  const clusters = (await readFile(file, 'utf8')).replace('source: { none: true }', source);
  await writeFile(file, `${clusters.trimEnd()}\n${target('web', 'cloud-europe')}${target('owned', 'cloud-america')}`);
});

afterAll(async () => {
  await plane?.stop();
  await rm(folder, { recursive: true, force: true });
});

it('shows what it would write, and writes nothing', async () => {
  const { out } = await tideline('apply');
  expect(out).toContain('web-cloud-europe: minReplicas of video/web in cloud 1 → 12');
  expect(out).toContain('nothing is written: --yes does it');
  expect(await minimumOf('web')).toBe('1');
});

it('writes nothing while the platform is frozen', async () => {
  const spec = join(folder, 'spec');
  const words = { XDG_STATE_HOME: folder };
  expect((await runTideline(words, ['freeze', spec, '--reason', 'test'])).code).toBe(0);
  const ran = await tideline('apply', '--yes');
  expect(ran).toMatchObject({ code: 1, out: expect.stringContaining('nothing is written without --despite-freeze') });
  expect(await minimumOf('web')).toBe('1');
  expect((await runTideline(words, ['thaw', spec])).code).toBe(0);
});

it('raises the least replicas, which the autoscaler then holds', async () => {
  const { out } = await tideline('apply', '--yes');
  expect(out).toContain('1 of 2 written');
  await eventually(async () => (await replicasOf('web')) === '12');
  // Of the autoscaler nothing else was touched.
  const fields = await plane.kubectl(['-n', 'video', 'get', 'hpa', 'web', '--show-managed-fields', '-o', 'json']);
  const { metadata } = JSON.parse(fields) as {
    readonly metadata: { readonly managedFields: readonly { readonly manager: string; readonly fieldsV1: object }[] };
  };
  const ours = metadata.managedFields.find(({ manager }) => manager === 'tideline-scaling');
  expect(ours?.fieldsV1).toEqual({ 'f:spec': { 'f:minReplicas': {} } });
});

it('leaves what somebody else owns, names who it is, and fails', async () => {
  const ran = await tideline('apply', '--yes');
  expect(ran.code).toBe(1);
  expect(ran.out).toMatch(
    /owned-cloud-america: minReplicas of video\/owned belongs to somebody else.*argocd-controller/,
  );
  expect(await minimumOf('owned')).toBe('2');
});

it('gives nothing back while fewer replicas are Ready than are needed now', async () => {
  await plane.kubectl(['-n', 'video', 'patch', 'hpa', 'web', '-p', '{"spec":{"minReplicas":40}}']);
  // No kubelet runs here, so no replica is ever Ready.
  const { out } = await tideline('apply', '--release', '--yes');
  expect(out).toMatch(/web-cloud-europe: 40 replicas stay: web-cloud-europe needs 2 replicas now and has 0/);
  expect(await minimumOf('web')).toBe('40');
});

it('says of an API that does not answer that nothing is known, and changes nothing', async () => {
  const ran = await tideline('prove');
  expect(ran.out).toMatch(/FloorNotHeld: web-cloud-europe needs 12 replicas on the loss of site paris and has 0/);
  await plane.end('kube-apiserver');
  expect((await tideline('prove')).out).toMatch(/WorkloadUnread: web-cloud-europe needs 12 replicas/);
  const silent = await tideline('apply', '--yes');
  expect(silent.code).toBe(1);
  expect(silent.out).toMatch(/web-cloud-europe is not handed over: /);
  await plane.start('kube-apiserver');
});
