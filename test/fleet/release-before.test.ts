import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ControlPlane } from '../../lab/control-plane/control-plane.ts';
import type { Emulator } from '../../lab/emulators/route53/emulator.ts';
import { formatRecord } from '../../src/answers/record.ts';
import { route53Reader } from '../../src/planes/steering/providers/route53/read.ts';
import { eventually, startTestControlPlane } from '../support/clusters/control-plane.ts';
import { objectsOf } from '../support/clusters/pool-definition.ts';
import { compileCache } from '../support/compile-cache.ts';
import { promised } from '../support/promised.ts';
import { writeReleaseBefore } from '../support/release-before.ts';
import { AgentProcess } from '../support/steering/agent-process.ts';
import { clientOf, createZone, testEmulator, timing } from '../support/steering/emulator.ts';
import { Vips } from '../support/steering/world.ts';

/**
 * In the middle of an upgrade: a steering agent of the release before and one of today stand for one Lease in a real API, and follow the same objects
 * in it. What the older one cannot read it holds, whoever leads.
 */
const zone = 'video.example';
const vips = new Vips();
const running: AgentProcess[] = [];
let plane: ControlPlane;
let emulator: Emulator;
let folder: string;

const policy = (ttlSeconds: number) => ({
  apiVersion: 'tideline.dev/v1alpha1',
  kind: 'TrafficPolicy',
  metadata: { name: 'video' },
  spec: {
    hosts: [`www.${zone}`],
    dns: { zone, providers: ['route53'] },
    ttlSeconds,
    default: { clusters: [{ name: 'paris' }], failover: ['cloud'] },
  },
});

/** Patches the health check of newyork; null removes a field. */
async function setField(healthCheck: object): Promise<void> {
  const patch = JSON.stringify({ spec: { healthCheck } });
  await plane.kubectl(['patch', 'cluster.tideline.dev', 'newyork', '--type=merge', '-p', patch]);
}

async function start(release: 'before' | 'today'): Promise<AgentProcess> {
  const runDir = join(folder, `run-${release}`);
  await mkdir(runDir, { recursive: true });
  const user = { user: `tideline:steering:${release}`, groups: ['tideline:steering'] };
  const api = ['--cluster', 'paris', '--kubeconfig', await plane.kubeconfigFor(user), '--platform-trust', 'paris'];
  const provider = ['--provider', 'route53', '--route53-endpoint', emulator.apiUrl, '--no-ask'];
  const agent = new AgentProcess({
    name: `the agent of ${release}`,
    program: release === 'before' ? join(folder, 'before/src/cli/main.ts') : 'src/cli/main.ts',
    compileCache: release === 'before' ? join(compileCache, 'before') : compileCache,
    options: [...api, ...provider, '--run-dir', runDir, '--mode', 'automatic'],
  });
  running.push(agent);
  return agent;
}

async function records(): Promise<readonly string[]> {
  const client = clientOf(emulator);
  const { records: all } = await route53Reader(client, timing).read(zone);
  client.destroy();
  return all.map(formatRecord).toSorted();
}

/** Who holds the Lease, how often it has changed hands, and what the API and the zone say: what must not flap. */
async function standing(): Promise<object> {
  const lease = await plane.read<{ spec: { holderIdentity: string; leaseTransitions: number } }>(
    '/apis/coordination.k8s.io/v1/namespaces/tideline-system/leases/tideline-steering',
  );
  const { status } = await plane.read<{ status?: object }>('/apis/tideline.dev/v1alpha1/trafficpolicies/video');
  const { holderIdentity, leaseTransitions } = lease.spec;
  return { holderIdentity, leaseTransitions, status, records: await records() };
}

/** What an agent says of an object that it cannot read. */
async function unreadable(agent: AgentProcess): Promise<string> {
  return JSON.stringify((await agent.status())?.platform.notInForce ?? []);
}

/** So long nothing may change: each agent looks twice meanwhile. */
const quietMs = 11_000;

async function nothingFlaps(): Promise<void> {
  const before = await standing();
  await sleep(quietMs);
  expect(await standing()).toEqual(before);
}

beforeAll(async () => {
  await vips.start();
  emulator = await testEmulator({ timeCompression: 500, insyncDelayMs: 10 });
  const client = clientOf(emulator);
  await createZone(client, zone);
  client.destroy();
  folder = await mkdtemp(join(tmpdir(), 'tideline-before-steering-'));
  await writeReleaseBefore(join(folder, 'before'));
  plane = await startTestControlPlane();
  await plane.kubectl(['create', 'namespace', 'tideline-system']);
  for (const file of ['rbac/steering', 'components/platform-spec/rights'])
    await plane.apply(...(await objectsOf(`deploy/${file}.yaml`)));
  await plane.kubectl(['apply', '--server-side', '-f', 'deploy/crds']);
  for (const file of ['sites', 'clusters']) await plane.apply(...(await objectsOf(`examples/hybrid/${file}.yaml`)));
  await plane.apply(policy(30));
}, 240_000);

afterAll(async () => {
  await Promise.all(running.map((agent) => agent.end()));
  await plane?.stop();
  await emulator?.stop();
  await vips.stop();
  await rm(folder, { recursive: true, force: true });
});

it('agents of two releases obey one Lease, and what only the newer one reads is never taken back by the older', {
  timeout: 480_000,
}, async () => {
  const before = await start('before');
  await before.comes(/^leads inForce 1$/);
  const today = await start('today');
  await today.comes(/^stands by standby/);
  const digests = [before, today].map(async (agent) => (await agent.status())?.platform.digest);
  expect(new Set(await Promise.all(digests)).size).toBe(1);

  // A field of today, and an edit that both could read.
  await setField({ minHealthyAddresses: 1 });
  await plane.apply(policy(20));
  await eventually(async () => /Cluster\/newyork.*ObjectUnreadable/.test(await unreadable(before)), {
    timeoutMs: promised(60_000),
  });
  await before.comes(/^leads waits 1$/);
  const [told] = (await before.status())?.zones ?? [];
  expect(JSON.stringify(told?.conditions)).toMatch(/InputContradicts/);
  expect(await unreadable(today)).toBe('[]');
  await nothingFlaps();

  // The old one is upgraded: it ends, and the other leads.
  await before.end('SIGTERM');
  await today.comes(/^leads inForce 2$/);
  const whole = await records();
  const again = await start('before');
  await again.comes(/^stands by/);
  await nothingFlaps();

  // The upgrade is taken back half-way: the old one leads, and leaves what it cannot read as the newer one wrote it.
  await today.end('SIGTERM');
  await again.comes(/^leads inForce 2$/);
  await plane.apply(policy(25));
  await again.comes(/^leads waits 2$/);
  await nothingFlaps();
  expect(await records()).toEqual(whole);

  // Once every object is one that it can read, the old one goes on.
  await setField({ minHealthyAddresses: null });
  await again.comes(/^leads inForce 3$/);
});
