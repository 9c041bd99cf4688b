import { expect, test } from 'vitest';
import { blade, silent, takenAtMs, worker } from '../../test/support/snapshot.ts';
import { apiVersion } from '../model/contract.ts';
import { Drain } from '../model/spec/kinds.ts';
import type { Platform } from '../model/spec/platform.ts';
import { loadPlatformOrThrow } from '../platform/load.ts';
import { planDrains } from './drain-plan.ts';
import { renderDrainPlan, renderDrains } from './drain-text.ts';
import { drainStates } from './drains.ts';
import type { AgentPart, Snapshot } from './snapshot.ts';

const platform = await loadPlatformOrThrow(['examples/hybrid']);

type Kind = Drain['spec']['target']['kind'];

function drainOf(kind: Kind, name: string, expiresInMs = 3_600_000): Drain {
  return Drain.parse({
    apiVersion,
    kind: 'Drain',
    metadata: { name: `${kind.toLowerCase()}-${name}` },
    spec: { target: { kind, name }, reason: 'disks', expires: new Date(takenAtMs + expiresInMs).toISOString() },
  });
}

function withDrains(...drains: readonly Drain[]): Platform {
  return { ...platform, drains: new Map(drains.map((drain) => [drain.metadata.name, drain])) };
}

function snapshotOf(...agents: readonly AgentPart[]): Snapshot {
  return { takenAtMs, agents, clusters: [], pools: [], drains: [] };
}

const vip = { address: '192.0.2.10', fit: true, announced: true, reasons: [] };
const unfit = { ...vip, fit: false, announced: false, reasons: ['NoTable'] };
const bothWell = snapshotOf(blade('paris-blade-1'), blade('paris-blade-2'));

function planned(before: Platform, after: Platform, snapshot: Snapshot) {
  const plan = planDrains(before, after, snapshot);
  return { ...plan, reasons: plan.refusals.map(({ reason }) => reason) };
}

test('one of two blades may leave while the other can serve', () => {
  const plan = planned(platform, withDrains(drainOf('Blade', 'paris-blade-1')), bothWell);
  expect(plan).toMatchObject({
    moves: [],
    reasons: [],
    unknown: [],
    pools: [{ pool: 'paris-edge', leaving: ['paris-blade-1'], returning: [], serving: ['paris-blade-2'] }],
  });
});

test.each([
  ['no other is in service', [drainOf('Blade', 'paris-blade-2')], bothWell, /no other blade is in service/],
  [
    'the other cannot serve now',
    [],
    snapshotOf(blade('paris-blade-1'), blade('paris-blade-2', { vips: [unfit] })),
    /paris-blade-2 cannot/,
  ],
])('a blade does not leave a VIP to nobody: %s', (_, drains, snapshot, message) => {
  const plan = planned(withDrains(...drains), withDrains(...drains, drainOf('Blade', 'paris-blade-1')), snapshot);
  expect(plan.reasons).toEqual(['LeavesVip']);
  expect(plan.refusals[0]?.message).toMatch(message);
});

test('a blade without a session of the family of the VIP cannot take it over', () => {
  const down = { address: '10.1.0.1', up: false, reason: 'hold timer expired' };
  const otherFamily = { address: 'fd00::1', up: true };
  for (const neighbors of [[down], [down, otherFamily]]) {
    const bgp = { refusals: [], relay: 'synced', neighbors, yielded: undefined };
    const snapshot = snapshotOf(blade('paris-blade-1'), blade('paris-blade-2', { bgp }));
    expect(planned(platform, withDrains(drainOf('Blade', 'paris-blade-1')), snapshot).reasons).toEqual(['LeavesVip']);
  }
});

test('what the blade that stays can do is said to be unknown when it does not answer', () => {
  const snapshot = snapshotOf(blade('paris-blade-1'), silent('paris-blade-2', 'edge'));
  const plan = planned(platform, withDrains(drainOf('Blade', 'paris-blade-1')), snapshot);
  expect(plan).toMatchObject({ reasons: [], unknown: [expect.stringContaining('paris-blade-2')] });
});

test('a cluster may leave when its users have another one', () => {
  const plan = planned(platform, withDrains(drainOf('Cluster', 'paris')), bothWell);
  expect(plan.reasons).toEqual([]);
  expect(plan.moves).toEqual([
    expect.objectContaining({ before: 'paris', after: 'cloud', countries: ['BE', 'ES', 'FR', 'IT', 'SN'] }),
    expect.objectContaining({ before: 'newyork 30%, paris 70%', after: 'newyork', countries: ['GB'] }),
  ]);
});

test('users are not left without a cluster in service, be the others drained or known to serve nobody', () => {
  const others = [drainOf('Cluster', 'cloud'), drainOf('Cluster', 'newyork')];
  const plan = planned(withDrains(...others), withDrains(...others, drainOf('Cluster', 'paris')), bothWell);
  expect(plan.reasons).toEqual(['LeavesCountries']);

  const newyork = (name: string) => {
    const part = blade(name, { blade: name, pool: 'newyork-edge', vips: [{ ...unfit, address: '198.51.100.10' }] });
    return { ...part, target: { ...part.target, cluster: 'newyork', site: 'newyork', pool: 'newyork-edge' } };
  };
  const dead = snapshotOf(...bothWell.agents, newyork('newyork-blade-1'), newyork('newyork-blade-2'));
  const cloud = drainOf('Cluster', 'cloud');
  const alone = planned(withDrains(cloud), withDrains(cloud, drainOf('Cluster', 'paris')), dead);
  expect(alone.reasons).toEqual(['LeavesCountries']);
  const living = planned(withDrains(cloud), withDrains(cloud, drainOf('Cluster', 'paris')), bothWell);
  expect(living.reasons).toEqual([]);
});

test('to undrain brings blades and countries back', () => {
  const plan = planned(withDrains(drainOf('Cluster', 'paris')), platform, bothWell);
  expect(plan.pools[0]?.returning).toEqual(['paris-blade-1', 'paris-blade-2']);
  expect(plan.moves[0]).toMatchObject({ before: 'cloud', after: 'paris' });
  const lines = renderDrainPlan('undrain cluster paris', { kind: 'Cluster', name: 'paris' }, plan).join('\n');
  expect(lines).toMatch(/paris-blade-1, paris-blade-2 in service again/);
  expect(lines).toMatch(/cloud -> paris for BE, ES, FR, IT, SN/);
});

const draining = { draining: true, vips: [{ ...vip, announced: false, fit: false }] };

test.each([
  ['nothing is left', blade('paris-blade-1', { ...draining, nginx: { activeConnections: 0 } }), 'empty', []],
  [
    'connections are left',
    blade('paris-blade-1', { ...draining, nginx: { activeConnections: 1 } }),
    'draining',
    ['paris-blade-1 has 1 connection open'],
  ],
  [
    'the VIP is left',
    blade('paris-blade-1', { draining: true, vips: [vip], nginx: { activeConnections: 0 } }),
    'draining',
    ['paris-blade-1 announces 192.0.2.10'],
  ],
  ['the agent has not read it', blade('paris-blade-1'), 'waiting', ['paris-blade-1 has not heard of it']],
  [
    'nginx does not answer',
    blade('paris-blade-1', { ...draining, nginx: undefined }),
    'unknown',
    ['paris-blade-1 does not know its connections'],
  ],
  [
    'ExaBGP cannot be asked',
    blade('paris-blade-1', {
      ...draining,
      nginx: { activeConnections: 0 },
      bgp: { refusals: [], relay: 'silent', neighbors: [], yielded: undefined },
    }),
    'unknown',
    ['paris-blade-1 does not know what its ExaBGP announces (silent)'],
  ],
  ['nobody answers', silent('paris-blade-1', 'edge'), 'unknown', ['paris-blade-1 cannot be reached']],
])('a drained blade of which %s', (_, part, phase, left) => {
  const [state] = drainStates(withDrains(drainOf('Blade', 'paris-blade-1')), snapshotOf(part));
  expect(state).toMatchObject({ phase, left, dns: 'not concerned' });
});

test.each([
  ['has withdrawn its routes of pods', { reason: 'NodeDrained', announced: [] }, 'empty'],
  ['announces one still', { reason: 'NodeDrained' }, 'draining'],
  [
    'waits for pods',
    {
      notices: [
        { subject: 'Worker/paris-worker-1', reason: 'DrainWaits', message: 'a Drain waits for 1 Ready pod: shop/web' },
      ],
    },
    'draining',
  ],
  ['has not heard of it', {}, 'waiting'],
  ['cannot ask ExaBGP', { reason: 'NodeDrained', announced: [], relay: 'disconnected' }, 'unknown'],
])('a drained worker that %s', (_, change, phase) => {
  const drains = withDrains(drainOf('Worker', 'paris-worker-1'));
  expect(drainStates(drains, snapshotOf(worker('paris-worker-1', change)))[0]?.phase).toBe(phase);
});

test('nothing says that a server is empty of which no agent is known', () => {
  const [state] = drainStates(withDrains(drainOf('Worker', 'paris-worker-9')), bothWell);
  expect(state?.phase).toBe('unknown');
});

test('a Drain of a site waits for each of its blades, and for DNS', () => {
  const empty = blade('paris-blade-1', { ...draining, nginx: { activeConnections: 0 } });
  const [state] = drainStates(withDrains(drainOf('Site', 'paris')), snapshotOf(empty, blade('paris-blade-2')));
  expect(state).toMatchObject({ phase: 'waiting', dns: 'follows at the next apply' });
});

test('a Drain that has ended holds nobody', () => {
  const drains = withDrains(drainOf('Blade', 'paris-blade-1', -1), drainOf('Blade', 'paris-blade-2', 5_400_000));
  const states = drainStates(drains, bothWell);
  expect(states.map(({ phase }) => phase)).toEqual(['over', 'waiting']);
  expect(renderDrains(states, takenAtMs)).toEqual([
    'drained              state    time        reason',
    'blade paris-blade-1  over     ended       disks',
    'blade paris-blade-2  waiting  1h30m left  disks',
    '  paris-blade-2 has not heard of it',
  ]);
});
