import { afterEach, expect, it } from 'vitest';
import { eventually } from '../../../test/support/eventually.ts';
import { steeringAgent, withDrainOf, withGuard } from '../../../test/support/steering/agent.ts';
import { memoryProviders } from '../../../test/support/steering/memory.ts';
import { guarded, overlay, proposing, verdict } from '../../../test/support/steering/overlays.ts';
import { examplePlatform } from '../../../test/support/steering/world.ts';
import type { TrafficOverlay } from '../../model/spec/kinds.ts';
import type { Platform } from '../../model/spec/platform.ts';
import { systemClock } from '../../runtime/clock.ts';
import { Registry } from '../../runtime/metrics.ts';
import type { SteeringAgent } from './agent.ts';

let agents: SteeringAgent[] = [];
afterEach(async () => {
  await Promise.all(agents.map((agent) => agent.stop()));
  agents = [];
});

const later = new Date(systemClock.now() + 86_400_000).toISOString();
const evening = (change: object = {}): TrafficOverlay => overlay({ expires: later, ...change });
const everybody = (cluster: string) => [
  { continents: ['AF', 'AN', 'AS', 'EU', 'NA', 'OC', 'SA'], clusters: [{ name: cluster }] },
];

/** An automatic agent that keeps a zone in memory, and obeys what `set` gives it. */
async function world(first: Platform) {
  let platform = first;
  const memory = memoryProviders();
  const registry = new Registry();
  const agent = steeringAgent({
    platform: () => platform,
    hands: { mode: 'automatic', write: memory },
    read: memory,
    providers: 'route53',
    everyMs: 100,
    registry,
  });
  agents.push(agent);
  agent.start();
  const zone = () => agent.status().zones[0];
  const comes = (what: string, is: () => boolean) =>
    eventually(what, is, { timeoutMs: 20_000, everyMs: 10, show: () => JSON.stringify(agent.status()) });
  const set = (next: Platform) => {
    platform = next;
    agent.refresh();
  };
  await comes('the zone is as written', () => zone()?.state === 'inForce');
  return { agent, zone, comes, set, registry };
}

const reasonsOf = (zone: ReturnType<SteeringAgent['status']>['zones'][number] | undefined) =>
  zone?.overlays?.map(({ reason }) => reason) ?? [];

it('lets a proposal wait, applies it when a person approved it, and keeps it when its owner is silent, loudly', async () => {
  const platform = withGuard(await examplePlatform(), 0.5, 1);
  const { agent, zone, comes, set, registry } = await world(platform);
  set(proposing(platform, evening()));
  await comes('it waits', () => reasonsOf(zone()).includes('OverlayWaits'));
  expect([zone()?.state, zone()?.plan, agent.status().applied.length]).toEqual(['inForce', undefined, 1]);
  expect(await registry.metrics()).toMatch(/^tideline_steering_overlays\{[^}]*reason="OverlayWaits"[^}]*\} 1$/m);
  set(proposing(platform, evening(), verdict(evening())));
  await comes('it is applied', () => agent.status().applied.length === 2 && zone()?.state === 'inForce');
  expect(agent.status().applied[0]?.countries).toEqual(['FR']);
  expect(zone()?.overlays).toBeUndefined();
  const silent = evening({ renewed: '2026-01-01T00:00:00Z' });
  set(proposing(platform, silent, verdict(silent)));
  await comes('it is loud', () => reasonsOf(zone()).includes('OverlaySilent'));
  expect([zone()?.state, agent.status().applied.length]).toEqual(['inForce', 2]);
});

it('lets no Drain wait for a proposal beyond the guard, and leaves the users of the proposal where they are', async () => {
  const platform = guarded(withGuard(await examplePlatform(), 0.3, 1), { proposals: 'automatic' });
  const { agent, zone, comes, set } = await world(proposing(platform, evening()));
  const beyond = evening({ rules: everybody('newyork') });
  set(proposing(platform, beyond));
  await comes('it waits', () => zone()?.state === 'waits');
  expect(zone()?.conditions.map(({ reason }) => reason)).toContain('NeedsApproval');
  const before = agent.status().applied.length;
  set(withDrainOf(proposing(platform, beyond), 'paris', systemClock.now() + 3_600_000));
  await comes('the Drain is followed', () => agent.status().applied.length === before + 1);
  const moved = agent.status().applied[0]?.countries ?? [];
  // France is at the cloud by the version that was in force, so the Drain of paris moves others only.
  expect([moved.includes('BE'), moved.includes('FR'), moved.includes('JP')]).toEqual([true, false, false]);
  await comes('the proposal still waits', () => zone()?.state === 'waits');
});

it('leads users back in steps when an overlay ends, by itself and for everybody to see', async () => {
  const paced = guarded(withGuard(await examplePlatform(), 0.5, 1), { proposals: 'automatic' });
  const video = paced.policies.get('video');
  if (video === undefined) throw new Error('no policy');
  const failback = { mode: 'gradual', holdMinutes: 1, stepShare: 0.01, stepMinutes: 10 } as const;
  const policies = new Map(paced.policies).set('video', { ...video, spec: { ...video.spec, failback } });
  const rules = [{ countries: ['BE', 'ES', 'FR', 'IT'], clusters: [{ name: 'cloud' }] }];
  const platform = { ...paced, policies };
  const { agent, zone, comes, set } = await world(proposing(platform, evening({ rules, afterwards: 'return' })));
  const expires = new Date(systemClock.now() + 500).toISOString();
  set(proposing(platform, evening({ rules, afterwards: 'return', expires })));
  const ends = 'its users are led back, now up to ES, at most 1% of the traffic each 10 minutes';
  await comes('the first step', () => zone()?.returns?.[0]?.ends === ends && zone()?.state === 'inForce');
  expect(zone()?.returns).toMatchObject([{ policy: 'video', overlay: 'evening' }]);
  expect(agent.status().applied.map(({ countries }) => countries)).toMatchObject([['BE', 'ES'], [], expect.anything()]);
});
