import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeClient } from '../../src/kube/api/client.ts';
import { connect } from '../../src/kube/api/connect.ts';
import { compileFleet } from '../../src/planes/fleet/compile/compile.ts';
import type { ServerDocument } from '../../src/planes/fleet/compile/document.ts';
import { drainsOf } from '../../src/planes/fleet/run/drain/handlers.ts';
import { gatesOf } from '../../src/planes/fleet/run/gates/gates.ts';
import type { StepContext } from '../../src/planes/fleet/run/handlers.ts';
import type { Reach } from '../../src/planes/fleet/run/reach.ts';
import type { GateName } from '../../src/planes/fleet/run/steps.ts';
import type { FleetWorld } from '../../src/planes/fleet/run/world.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { eventually, withControlPlane } from '../support/clusters/control-plane.ts';
import { workerNode } from '../support/clusters/objects.ts';
import { fleetPlatform } from '../support/fleet.ts';
import { moduleReach } from '../support/salt/module-reach.ts';

/** Drains and gates on a real API, with the rights of deploy/rbac/fleet.yaml and no others. The test plays the kubelets. */
const plane = withControlPlane({ nodeFailure: { graceSeconds: 3600, periodSeconds: 5 } });
const [one, two, control, blade] = [
  'site0-worker0000',
  'site0-worker0001',
  'site0-control0',
  'site0-blade000',
] as const;
const platform = fleetPlatform({ workersPerSite: 2 });
const { documents } = compileFleet(platform, {});
const patience = { patienceMs: 3000, everyMs: 200, farewellMs: 2000, routersMs: 0 };
const said: string[] = [];
/** What the agents of blades say of themselves. */
const vip = { address: '192.0.0.10', fit: true, reasons: [], announced: true };
const serves = {
  agent: 'edge',
  source: { phase: 'live' },
  vips: [vip],
  draining: false,
  nginx: { activeConnections: 3 },
  bgp: { relay: 'synced' },
};
const views = new Map<string, object>();
/** What kubelets say of themselves, where they are not well. */
const kubelets = new Map<string, { readonly value: object }>();
const sayOf = (server: string) => ({ value: { ...serves, blade: server, ...views.get(server) } });
let client: KubeClient;
let world: FleetWorld;
let reach: Reach;

const drained = { agent: 'network', action: 'announce', reason: 'NodeDrained', announced: [], relay: 'synced' };

function context(server: string, checksum = 'run-1'): StepContext {
  const wave = { cluster: 'site0', kind: 'worker', servers: [server], steps: [] } as const;
  const signal = AbortSignal.timeout(60_000);
  return { run: { command: 'apply', checksum }, wave, reach, signal, say: (line) => said.push(line) };
}

const drain = (server: string, checksum?: string) =>
  drainsOf(world, patience).drain({ do: 'drain', servers: [server] }, context(server, checksum));
const giveBack = (server: string, checksum?: string) =>
  drainsOf(world, patience).return({ do: 'return', servers: [server] }, context(server, checksum));
const gate = (name: GateName, server: string) => gatesOf(world)[name]({ servers: [server] }, context(server));

interface Raw {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: { readonly unschedulable?: boolean; readonly nodeName?: string };
}
const node = (name: string) => plane().read<Raw>(`/api/v1/nodes/${name}`);
const drains = async () =>
  (await plane().read<{ readonly items: readonly Raw[] }>('/apis/tideline.dev/v1alpha1/drains')).items.map(
    ({ metadata }) => metadata.name,
  );
const podsOn = async (server: string) =>
  (await plane().read<{ readonly items: readonly Raw[] }>('/api/v1/namespaces/default/pods')).items
    .filter(({ spec }) => spec.nodeName === server)
    .map(({ metadata }) => metadata.name);

async function patchStatus(what: string, name: string, status: object): Promise<void> {
  await plane().kubectl([
    'patch',
    what,
    name,
    '--subresource=status',
    '--type=merge',
    '-p',
    JSON.stringify({ status }),
  ]);
}

/** As kubelets do, says of every pod on a node that it is Ready. */
async function play(): Promise<void> {
  for (const server of [one, two])
    for (const pod of await podsOn(server)) {
      const conditions = [{ type: 'Ready', status: 'True' }];
      await patchStatus('pod', pod, { phase: 'Running', conditions }).catch(() => undefined);
    }
}

const labels = { app: 'web' };
const template = (app: object) => ({
  metadata: { labels: app },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'web', image: 'registry.invalid/web:1' }],
    volumes: [{ name: 'scratch', emptyDir: {} }],
  },
});
const metadata = (name: string) => ({ name, namespace: 'default' });
const web = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: metadata('web'),
  spec: { replicas: 2, selector: { matchLabels: labels }, template: template(labels) },
};
const log = {
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: metadata('log'),
  spec: { selector: { matchLabels: { app: 'log' } }, template: template({ app: 'log' }) },
};
const budget = (minAvailable: number) => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: metadata('web'),
  spec: { minAvailable, selector: { matchLabels: labels } },
});
const allowed = async () =>
  (
    await plane().read<{ readonly status: { readonly disruptionsAllowed?: number; readonly currentHealthy?: number } }>(
      '/apis/policy/v1/namespaces/default/poddisruptionbudgets/web',
    )
  ).status;

/** The document of a server whose API server is this one. */
function serving(document: ServerDocument): ServerDocument {
  const { hostname, port } = new URL(plane().url);
  const flags = `--bind-address=${hostname} --secure-port=${port} --client-ca-file=${plane().authority}`;
  const units = { 'kube-apiserver.service': { text: `[Service]\nExecStart=/bin/true ${flags}\n` } };
  return { ...document, components: [{ name: 'kube-apiserver', units }] as unknown as ServerDocument['components'] };
}

beforeAll(async () => {
  for (const file of ['deploy/crds/drains.yaml', 'deploy/rbac/fleet.yaml'])
    await plane().kubectl(['apply', '-f', '-'], await readFile(file, 'utf8'));
  await plane().kubectl(['wait', '--for=condition=Established', 'crd/drains.tideline.dev', '--timeout=30s']);
  for (const [index, name] of [one, two].entries()) {
    const played = workerNode(name, `10.1.3.${232 + index}`);
    await plane().apply(played);
    const nodeInfo = { kubeletVersion: index === 0 ? 'v1.36.3' : 'v1.35.4' };
    await patchStatus('node', name, { ...played.status, nodeInfo });
  }
  await plane().apply(log, budget(2));
  await eventually(async () => expect((await podsOn(one)).length + (await podsOn(two)).length).toBe(2));
  await plane().apply(web);
  await eventually(async () => {
    await play();
    return expect(await allowed()).toMatchObject({ currentHealthy: 2, disruptionsAllowed: 0 });
  });
  client = await connect({ kubeconfig: await plane().kubeconfigFor({ user: 'operator', groups: ['tideline:fleet'] }) });
  const own = documents.get(control);
  if (own === undefined) throw new Error('unreachable');
  const controls = new Map([[control, serving(own)]]);
  world = {
    documents: new Map(
      [...[one, two, blade].flatMap((name) => [[name, documents.get(name)] as const]), ...controls].flatMap(
        ([name, document]) => (document === undefined ? [] : [[name, document] as const]),
      ),
    ),
    pools: [...platform.edgePools.values()],
    api: () => Promise.resolve(client),
    clock: systemClock,
  };
  reach = await moduleReach(controls, {
    'tideline_health.network': () => ({ value: drained }),
    'tideline_health.kubelet': (server) => kubelets.get(server) ?? { value: { healthy: true } },
    'tideline_health.edge': sayOf,
  });
}, 180_000);
afterAll(() => client?.close());

/** The worker that has a pod of the Deployment. */
const busy = async () => ((await podsOn(one)).some((name) => name.startsWith('web-')) ? one : two);

describe('a worker', () => {
  it('that a PodDisruptionBudget does not spare is not drained, and takes part again', async () => {
    const server = await busy();
    const [fault, ...others] = await drain(server);
    expect(fault?.message).toMatch(
      new RegExp(
        `^EvictionBlocked: ${server}: default/web-.*The disruption budget web needs 2 healthy pods and has 2 currently`,
      ),
    );
    expect(others.length).toBeLessThan(2);
    expect((await node(server)).spec.unschedulable).toBeUndefined();
    expect(await drains()).toEqual([]);
    expect((await podsOn(server)).some((name) => name.startsWith('web-'))).toBe(true);
  }, 60_000);

  it('is drained when the budget allows it, and a gate waits for its pods', async () => {
    await plane().apply(budget(0));
    await eventually(async () => expect((await allowed()).disruptionsAllowed).toBe(2));
    const server = await busy();
    said.length = 0;
    expect(await drain(server)).toEqual([]);
    expect(said.join()).toMatch(/emptyDir: default\/web-/);
    expect((await node(server)).spec.unschedulable).toBe(true);
    expect(await drains()).toEqual([`fleet-worker-${server}`]);
    expect((await podsOn(server)).map((name) => name.split('-')[0])).toEqual(['log']);
    expect(await gate('PodsRunning', server)).toMatch(/^ReplicaSet\/default\/web-.* has [01] of 2 pods Ready/);
    await eventually(async () => {
      await play();
      return expect(await gate('PodsRunning', server)).toBeUndefined();
    });
    // A run that was interrupted drains again.
    expect(await drain(server)).toEqual([]);
    expect(await giveBack(server)).toEqual([]);
    expect((await node(server)).spec.unschedulable).toBeUndefined();
    expect(await drains()).toEqual([]);
  }, 120_000);

  it('that somebody else has closed stays closed', async () => {
    await plane().kubectl(['cordon', one]);
    expect(await drain(one, 'run-2')).toEqual([]);
    expect(await giveBack(one, 'run-2')).toEqual([]);
    expect((await node(one)).spec.unschedulable).toBe(true);
    await plane().kubectl(['uncordon', one]);
  }, 60_000);

  it('with a pod that nobody would make again is not touched', async () => {
    const alone = { ...template({ app: 'alone' }).spec, nodeName: one };
    await plane().apply({ apiVersion: 'v1', kind: 'Pod', metadata: metadata('alone'), spec: alone });
    expect((await drain(one, 'run-3')).map(({ message }) => message)).toEqual([
      `PodUnmanaged: ${one}: default/alone has no controller that would make it again`,
    ]);
    expect((await node(one)).spec.unschedulable).toBeUndefined();
    await plane().kubectl(['delete', 'pod', 'alone', '--grace-period=0', '--force']);
  }, 60_000);

  it('is Ready with the kubelet of its document alone', async () => {
    expect(await gate('NodesReady', one)).toBeUndefined();
    expect(await gate('NodesReady', two)).toBe(`${two} has the kubelet v1.35.4 and not v1.36.3`);
    kubelets.set(one, { value: { healthy: false, problem: 'connection refused' } });
    expect(await gate('NodesReady', one)).toBe(`the kubelet of ${one} is not healthy (connection refused)`);
    kubelets.clear();
    const conditions = [{ type: 'Ready', status: 'False', message: 'container runtime is down' }];
    await patchStatus('node', one, { conditions });
    expect(await gate('NodesReady', one)).toBe(`${one} is not Ready (container runtime is down)`);
  });
});

it('a worker that left has no Node and no Drain any more, and may be forgotten twice', async () => {
  const { forget } = drainsOf(world, patience);
  const step = { do: 'forget', servers: [two] } as const;
  expect(await drain(two, 'run-4')).toEqual([]);
  expect(await drains()).toEqual([`fleet-worker-${two}`]);
  expect([await forget(step, context(two)), await forget(step, context(two))]).toEqual([[], []]);
  expect(await drains()).toEqual([]);
  await expect(node(two)).rejects.toThrow('not found');
}, 60_000);

describe('a blade', () => {
  const gone = { draining: true, vips: [{ ...vip, fit: false, announced: false }] };

  it('that its pool needs is not drained', async () => {
    views.set('site0-blade001', gone);
    expect((await drain(blade)).map(({ message }) => message)).toEqual([
      'PoolTooSmall: 192.0.0.10 of site0-edge would have 0 announcers of 1',
    ]);
    expect(await drains()).toEqual([]);
    views.clear();
  });

  it('that keeps its connections ends the run, and serves again', async () => {
    views.set(blade, gone);
    expect((await drain(blade)).map(({ message }) => message)).toEqual([`NotEmpty: ${blade} has 3 connections open`]);
    expect(await drains()).toEqual([]);
  });

  it('is drained when nothing is left, and returned', async () => {
    views.set(blade, { ...gone, nginx: { activeConnections: 0 } });
    expect(await drain(blade)).toEqual([]);
    expect(await drains()).toEqual([`fleet-blade-${blade}`]);
    expect(await giveBack(blade)).toEqual([]);
    expect(await drains()).toEqual([]);
  });
});

it('an API server that stands still is not ready, and is when it goes on', async () => {
  expect(await gate('ApiReady', control)).toBeUndefined();
  plane().signal('kube-apiserver', 'SIGSTOP');
  try {
    expect(await gate('ApiReady', control)).toMatch(
      new RegExp(`^the API server of ${control} is not ready \\(https://.*timed out`),
    );
  } finally {
    plane().signal('kube-apiserver', 'SIGCONT');
  }
  await eventually(async () => expect(await gate('ApiReady', control)).toBeUndefined());
}, 60_000);
