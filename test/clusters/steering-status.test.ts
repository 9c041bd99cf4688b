import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChangeResourceRecordSetsCommand } from '@aws-sdk/client-route-53';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ControlPlane } from '../../lab/control-plane/control-plane.ts';
import type { Emulator } from '../../lab/emulators/route53/emulator.ts';
import { agentPorts } from '../../src/model/contract.ts';
import { eventually, startTestControlPlane } from '../support/clusters/control-plane.ts';
import { objectsOf } from '../support/clusters/pool-definition.ts';
import { compileCache } from '../support/compile-cache.ts';
import { dnsOf, runTideline } from '../support/steering/command.ts';
import { clientOf, createZone, testEmulator } from '../support/steering/emulator.ts';
import { Vips } from '../support/steering/world.ts';

/** The steering agent, and the commands of people, say in a real API what became of its policies and Drains in the emulator's zone. */
const vips = new Vips();
let plane: ControlPlane;
let emulator: Emulator;
let folder: string;
let kubeconfig: string;
let agent: ChildProcess | undefined;

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
  readonly lastTransitionTime: string;
}

interface Written {
  readonly metadata: { readonly generation: number };
  readonly status?: {
    readonly conditions: readonly Condition[];
    readonly specDigest?: string;
    readonly zones?: readonly { readonly provider: string; readonly generation: number; readonly since: string }[];
    readonly dnsShare?: number;
    readonly dnsShareByFamily?: object;
    readonly dnsEmptyAt?: string;
  };
}

interface Events {
  readonly items: readonly {
    readonly reason: string;
    readonly regarding: { readonly kind: string; readonly name: string };
  }[];
}

async function read(resource: string, name: string): Promise<Written> {
  return plane.read(`/apis/tideline.dev/v1alpha1/${resource}/${name}`);
}

/** A condition that was said of the object as it stands, as `status reason`. */
async function said(resource: string, name: string, type: string): Promise<string> {
  const { metadata, status } = await read(resource, name);
  const one = status?.conditions.find((condition) => condition.type === type);
  return one?.observedGeneration === metadata.generation ? `${one.status} ${one.reason}` : 'nothing of this generation';
}

async function comes(resource: string, name: string, type: string, text: string): Promise<void> {
  try {
    await eventually(async () => (await said(resource, name, type)) === text);
  } catch (error) {
    const { status } = await read(resource, name);
    const log = (await readFile(join(folder, 'agent.log'), 'utf8')).split('\n').slice(-8).join('\n');
    throw new Error(`${type} of ${name} is not ${text}: ${JSON.stringify(status)}\n${log}`, { cause: error });
  }
}

const policy = (name: string, host: string, more: object = {}) => ({
  apiVersion: 'tideline.dev/v1alpha1',
  kind: 'TrafficPolicy',
  metadata: { name },
  spec: {
    hosts: [host],
    dns: { zone: 'video.example', providers: ['route53'] },
    default: { clusters: [{ name: 'paris' }], failover: ['cloud'] },
    ...more,
  },
});

const www = 'www.video.example';
const provider = (): readonly string[] => ['--provider', 'route53', '--route53-endpoint', emulator.apiUrl];

async function startAgent(): Promise<void> {
  const source = ['--cluster', 'paris', '--kubeconfig', kubeconfig, '--platform-trust', 'paris', '--run-dir', folder];
  const words = ['steering', 'agent', ...source, ...provider(), '--mode', 'automatic', '--every', '5'];
  const command = ['--disable-warning=ExperimentalWarning', 'src/cli/main.ts', ...words];
  const keys = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', NODE_COMPILE_CACHE: compileCache };
  agent = spawn('sh', ['-c', 'exec "$@" >"$0" 2>&1', join(folder, 'agent.log'), process.execPath, ...command], {
    env: { ...process.env, ...keys },
  });
}

async function endAgent(): Promise<void> {
  if (agent === undefined || agent.exitCode !== null) return;
  const exit = once(agent, 'exit');
  agent.kill('SIGTERM');
  await exit;
}

beforeAll(async () => {
  await vips.start();
  emulator = await testEmulator({ timeCompression: 500, insyncDelayMs: 10 });
  const client = clientOf(emulator);
  const id = await createZone(client, 'video.example');
  const theirs = { Name: 'held.video.example', Type: 'CNAME' as const, TTL: 60, ResourceRecords: [{ Value: 'x.net' }] };
  const Changes = [{ Action: 'CREATE' as const, ResourceRecordSet: theirs }];
  await client.send(new ChangeResourceRecordSetsCommand({ HostedZoneId: id, ChangeBatch: { Changes } }));
  client.destroy();
  folder = await mkdtemp(join(tmpdir(), 'tideline-steering-status-'));
  plane = await startTestControlPlane();
  await plane.kubectl(['create', 'namespace', 'tideline-system']);
  for (const file of ['rbac/steering', 'components/platform-spec/rights'])
    await plane.apply(...(await objectsOf(`deploy/${file}.yaml`)));
  await plane.kubectl(['apply', '--server-side', '-f', 'deploy/crds']);
  for (const file of ['sites', 'clusters']) await plane.apply(...(await objectsOf(`examples/hybrid/${file}.yaml`)));
  kubeconfig = await plane.kubeconfigFor({ user: 'tideline:steering:ops-1', groups: ['tideline:steering'] });
});

afterAll(async () => {
  await endAgent();
  await plane?.stop();
  await emulator?.stop();
  await vips.stop();
  await rm(folder, { recursive: true, force: true });
});

it('says of a policy which generation is in force since when, and by which spec', async () => {
  await plane.apply(policy('video', www));
  await startAgent();
  await comes('trafficpolicies', 'video', 'InForce', 'True InForce');
  expect(await said('trafficpolicies', 'video', 'Accepted')).toBe('True InForce');
  const { status } = await read('trafficpolicies', 'video');
  const { platform } = (await (await fetch(`http://127.0.0.1:${agentPorts.steering}/status`)).json()) as {
    readonly platform: { readonly digest: string };
  };
  expect(status).toMatchObject({
    specDigest: platform.digest,
    zones: [{ provider: 'route53', zone: 'video.example', generation: 1, since: expect.stringMatching(/^20.*Z$/) }],
  });
  const table = await plane.kubectl(['get', 'trafficpolicies']);
  expect(table).toMatch(/^NAME +ZONE +TTL +DEFAULT +INFORCE +WHY +SINCE +GENERATIONS +AGE$/m);
  expect(table).toMatch(/^video +video\.example .* True +InForce +20\S+Z +route53 1 /m);
});

it('says what is refused and why, of the policy that it concerns and of no other', async () => {
  await plane.apply(policy('held', 'held.video.example'));
  await comes('trafficpolicies', 'held', 'InForce', 'False UnownedRecord');
  await comes('trafficpolicies', 'video', 'InForce', 'True InForce');
  await plane.kubectl(['delete', 'trafficpolicy', 'held']);
  // All users of the host would move, and the guard allows a quarter.
  await plane.apply(policy('video', www, { default: { clusters: [{ name: 'newyork' }], failover: ['cloud'] } }));
  await comes('trafficpolicies', 'video', 'InForce', 'False NeedsApproval');
  const { status } = await read('trafficpolicies', 'video');
  expect(status?.conditions.find(({ type }) => type === 'InForce')?.message).toMatch(
    /^route53 zone video\.example: .*100% .*; tideline steering apply .*--approve-share 1/,
  );
});

it('is written by a command as well, which applies while no agent runs or is refused', async () => {
  await endAgent();
  const own = join(folder, 'spec');
  await cp('examples/hybrid', own, { recursive: true });
  await rm(join(own, 'traffic.yaml'));
  await rm(join(own, 'clusters/paris'), { recursive: true });
  const clusters = await readFile(join(own, 'clusters.yaml'), 'utf8');
  const source = `source: { kubeconfig: ${kubeconfig} }`;
  await writeFile(join(own, 'clusters.yaml'), clusters.replace('source: { manifests: ./clusters/paris }', source));
  const { zones: before } = (await read('trafficpolicies', 'video')).status ?? {};
  const words = [own, ...provider(), '--platform-trust', 'paris=zones'];
  const environment = { TIDELINE_NAME_SERVERS: dnsOf(emulator), XDG_STATE_HOME: folder };
  const tideline = (...more: readonly string[]) => runTideline(environment, ['steering', ...more]);
  // Another edit, on which nobody has said anything yet.
  await plane.apply(
    policy('video', www, { ttlSeconds: 20, default: { clusters: [{ name: 'newyork' }], failover: ['cloud'] } }),
  );
  const planned = await tideline('plan', ...words);
  expect(planned).toMatchObject({ code: 0, err: '' });
  const plan = /^plan ([0-9a-f]{16})$/m.exec(planned.out)?.[1] ?? 'none';
  const apply = ['apply', ...words, '--plan', plan, '--no-ask'];
  expect((await tideline(...apply)).err).toContain('NeedsApproval');
  expect(await said('trafficpolicies', 'video', 'InForce')).toBe('False NeedsApproval');
  expect(await tideline(...apply, '--approve-share', '1', '--approve-failover', '1')).toMatchObject({
    code: 0,
    err: '',
  });
  expect(await said('trafficpolicies', 'video', 'InForce')).toBe('True InForce');
  const { zones: after } = (await read('trafficpolicies', 'video')).status ?? {};
  expect(after?.[0]?.generation).toBeGreaterThan(before?.[0]?.generation ?? Infinity);
});

it('says of a Drain whether DNS follows, how many users it still leads there, and nothing once it is over', async () => {
  await startAgent();
  await plane.apply({
    apiVersion: 'tideline.dev/v1alpha1',
    kind: 'Drain',
    metadata: { name: 'works' },
    spec: { target: { kind: 'Cluster', name: 'newyork' }, reason: 'works', expires: '2099-01-01T00:00:00Z' },
  });
  await comes('drains', 'works', 'InDns', 'False NeedsApproval');
  // Everybody is led to newyork, and the blades of the test answer health checks.
  const waiting = (await read('drains', 'works')).status;
  expect(waiting).toMatchObject({ dnsShare: 1, dnsShareByFamily: { ipv4: 1 } });
  expect(waiting).not.toHaveProperty('dnsEmptyAt');
  const wide = '{"spec":{"guard":{"maxTrafficShare":1}}}';
  await plane.kubectl(['patch', 'trafficpolicy', 'video', '--type=merge', '-p', wide]);
  await comes('drains', 'works', 'InDns', 'True InForce');
  const followed = (await read('drains', 'works')).status;
  expect(followed).toMatchObject({ dnsShare: 0, dnsShareByFamily: { ipv4: 0 } });
  expect(Date.parse(followed?.dnsEmptyAt ?? '')).toBeGreaterThan(Date.now() - 30_000);
  const drains = await plane.kubectl(['get', 'drains']);
  expect(drains).toMatch(/^NAME +KIND +TARGET +INFORCE +EMPTY +DNS +DNSSHARE +VIPS /m);
  expect(drains).toMatch(/^works +Cluster +newyork +True +0 +/m);
  const over = JSON.stringify({ spec: { expires: '2020-01-01T00:00:00Z' } });
  await plane.kubectl(['patch', 'drain', 'works', '--type=merge', '-p', over]);
  await eventually(async () => ((await read('drains', 'works')).status?.conditions ?? []).length === 0);
  expect((await read('drains', 'works')).status?.dnsShare).toBeUndefined();
});

it('says of a proposal for whom it waits, since when it is in force, and why it is not', async () => {
  const proposal = {
    policy: 'video',
    owner: 'optimiser',
    expires: '2099-01-01T00:00:00Z',
    rules: [{ countries: ['FR'], clusters: [{ name: 'cloud' }] }],
  };
  const ours = { apiVersion: 'tideline.dev/v1alpha1', metadata: { name: 'evening' } };
  const overlay = (more: object = {}) =>
    plane.apply({ ...ours, kind: 'TrafficOverlay', spec: { ...proposal, reason: 'paris is full', ...more } });
  const word = (said: string, about: object = {}) => {
    const spec = { overlay: 'evening', verdict: said, by: 'anna', at: new Date().toISOString(), reason: 'looked' };
    return plane.apply({ ...ours, kind: 'TrafficVerdict', spec: { ...spec, proposal: { ...proposal, ...about } } });
  };
  await overlay();
  await comes('trafficoverlays', 'evening', 'InForce', 'False WaitsForPerson');
  await word('approve');
  await comes('trafficoverlays', 'evening', 'InForce', 'True Approved');
  await comes('trafficverdicts', 'evening', 'InForce', 'True Approved');
  const table = await plane.kubectl(['get', 'trafficoverlays']);
  expect(table).toMatch(/^NAME +POLICY +INFORCE +WHY +SINCE +OWNER +EXPIRES +AFTERWARDS +RENEWED +REASON +AGE$/m);
  expect(table).toMatch(/^evening +video +True +Approved +20\S+Z +optimiser /m);
  await overlay({ renewed: '2026-01-01T00:00:00Z' });
  await comes('trafficoverlays', 'evening', 'InForce', 'True Silent');
  await overlay({ renewed: '2099-01-01T00:00:00Z', rules: [{ countries: ['BE'], clusters: [{ name: 'cloud' }] }] });
  await comes('trafficoverlays', 'evening', 'InForce', 'True ChangedSince');
  await comes('trafficverdicts', 'evening', 'InForce', 'True ChangedSince');
  await overlay({ expires: '2026-01-01T00:00:00Z' });
  await word('approve', { expires: '2026-01-01T00:00:00Z' });
  await comes('trafficoverlays', 'evening', 'InForce', 'True EndedStays');
  await word('reject', { expires: '2026-01-01T00:00:00Z' });
  await comes('trafficoverlays', 'evening', 'InForce', 'False Rejected');
  expect(await plane.kubectl(['get', 'trafficverdicts'])).toMatch(/^evening +evening +reject +True +Rejected +anna /m);
  const told = ['WaitsForPerson', 'Approved', 'Silent', 'ChangedSince', 'EndedStays', 'Rejected'];
  await eventually(async () => {
    const { items } = await plane.read<Events>('/apis/events.k8s.io/v1/namespaces/default/events');
    const ours = items.filter(({ regarding }) => regarding.kind === 'TrafficOverlay' && regarding.name === 'evening');
    return told.every((reason) => ours.some((one) => one.reason === reason));
  });
});

it('needs no more rights than it has, and uses those it has', async () => {
  const asked = await plane.audit(({ groups }) => groups.includes('tideline:steering'));
  expect(asked.filter(({ decision }) => decision === 'forbid')).toEqual([]);
  const statuses = asked.filter(({ subresource, code }) => subresource === 'status' && code === 200);
  expect([...new Set(statuses.map(({ resource }) => resource))].toSorted()).toEqual([
    'drains',
    'trafficoverlays',
    'trafficpolicies',
    'trafficverdicts',
  ]);
  // What stands is not written again, however often the agent looks.
  expect(statuses.length).toBeLessThan(60);
});
