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
const noSession = { refusals: [], relay: 'synced', neighbors: [], yielded: undefined };
const bothWell = snapshotOf(blade('paris-blade-1'), blade('paris-blade-2'));

const undrained = (kind: Kind, name: string) => ({
  what: `undrain ${kind.toLowerCase()} ${name}`,
  verb: 'undrain' as const,
  target: { kind, name },
});

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

test('a blade that obeys a Drain which was not read does not count as one that stays', () => {
  const other = blade('paris-blade-2', {
    draining: true,
    drain: { name: 'unseen' },
    vips: [{ ...vip, reasons: ['Draining'] }],
  });
  const snapshot = snapshotOf(blade('paris-blade-1'), other);
  const plan = planned(platform, withDrains(drainOf('Blade', 'paris-blade-1')), snapshot);
  expect(plan.refusals).toMatchObject([
    {
      reason: 'LeavesVip',
      message: expect.stringMatching(/it obeys Drain\/unseen, which stands nowhere that was read/),
    },
  ]);
});

test.each([
  ['no other is in service', [drainOf('Blade', 'paris-blade-2')], bothWell, /no other blade is in service/],
  [
    'the other cannot serve now',
    [],
    snapshotOf(blade('paris-blade-1'), blade('paris-blade-2', { vips: [unfit] })),
    /paris-blade-2 cannot \(NoTable\)$/,
  ],
  [
    'no router would hear of the other',
    [],
    snapshotOf(blade('paris-blade-1'), blade('paris-blade-2', { bgp: noSession })),
    /paris-blade-2 cannot \(no BGP session of IPv4 is up\)$/,
  ],
  [
    'the other does not have the VIP',
    [],
    snapshotOf(
      blade('paris-blade-1'),
      blade('paris-blade-2', { vips: [], vipsMissing: { '192.0.2.10': 'NotOnLoopback' } }),
    ),
    /paris-blade-2 cannot \(NotOnLoopback\)$/,
  ],
  [
    'the other does not know the VIP',
    [],
    snapshotOf(blade('paris-blade-1'), blade('paris-blade-2', { vips: [] })),
    /paris-blade-2 cannot \(its agent does not know the VIP\)$/,
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

/** A blade on which an edit took 192.0.2.9 out of its pool; `state` is what has become of the VIP there. */
function holding(name: string, state: Partial<typeof vip> = {}): AgentPart {
  const notices = [{ subject: '192.0.2.9', reason: 'PoolEditWaits', message: 'until noon' }];
  return blade(name, { vips: [vip, { ...vip, address: '192.0.2.9', ...state }], notices });
}

const letGo = { fit: false, announced: false, reasons: [] };

test.each<readonly [string, readonly Drain[], readonly AgentPart[], readonly string[]]>([
  [
    'the last blade in service has it',
    [drainOf('Blade', 'paris-blade-2')],
    [holding('paris-blade-1'), holding('paris-blade-2', letGo)],
    ['192.0.2.10', '192.0.2.9'],
  ],
  [
    'the blade that stays does not know it',
    [],
    [holding('paris-blade-1'), blade('paris-blade-2', { vips: [vip] })],
    ['192.0.2.9'],
  ],
  [
    'the blade that stays cannot serve it, and the other does not answer',
    [],
    [silent('paris-blade-1', 'edge'), holding('paris-blade-2', letGo)],
    ['192.0.2.9'],
  ],
  ['the blade that stays can serve it', [], [holding('paris-blade-1'), holding('paris-blade-2')], []],
  [
    'the blade that leaves has let it go already',
    [],
    [blade('paris-blade-1', { vips: [vip] }), holding('paris-blade-2', letGo)],
    [],
  ],
])('a VIP that left its pool and is announced still counts: %s', (_, drains, agents, left) => {
  const after = withDrains(...drains, drainOf('Blade', 'paris-blade-1'));
  const { refusals } = planned(withDrains(...drains), after, snapshotOf(...agents));
  expect(refusals.map(({ reason, message }) => `${reason} ${message.split(/[ ,]/)[1]}`)).toEqual(
    left.map((address) => `LeavesVip ${address}`),
  );
  const held = refusals.find(({ message }) => message.startsWith('VIP 192.0.2.9,'));
  if (held !== undefined) {
    expect(held.message).toMatch(
      /^VIP 192\.0\.2\.9, which left pool paris-edge by an edit and is announced still, would/,
    );
    expect(held.fix).toMatch(/or accept on each blade that it goes \(tideline accept 192\.0\.2\.9 --yes\)$/);
  }
});

test('what the blade that stays can do is said to be unknown when it does not answer', () => {
  const snapshot = snapshotOf(blade('paris-blade-1'), silent('paris-blade-2', 'edge'));
  const plan = planned(platform, withDrains(drainOf('Blade', 'paris-blade-1')), snapshot);
  expect(plan).toMatchObject({ reasons: [], unknown: [expect.stringContaining('paris-blade-2')] });
});

test('the plan names the VIPs that a leaving blade announces, and who has them then', () => {
  const after = withDrains(drainOf('Blade', 'paris-blade-1'));
  const text = (snapshot: Snapshot) => {
    const change = { what: 'drain', verb: 'drain' as const, target: { kind: 'Blade' as const, name: 'paris-blade-1' } };
    const plan = planned(platform, after, snapshot);
    return renderDrainPlan(change, plan).filter((line) => line.startsWith('  VIP'));
  };
  expect(planned(platform, after, bothWell).pools[0]?.vips).toEqual([
    { address: '192.0.2.10', from: ['paris-blade-1'], to: ['paris-blade-2'], unknown: [] },
  ]);
  expect(text(bothWell)).toEqual(['  VIP 192.0.2.10: paris-blade-1 -> paris-blade-2']);
  expect(text(snapshotOf(blade('paris-blade-1'), silent('paris-blade-2', 'edge')))).toEqual([
    '  VIP 192.0.2.10: paris-blade-1 -> perhaps paris-blade-2 (not known)',
  ]);
  expect(text(snapshotOf(blade('paris-blade-1'), blade('paris-blade-2', { vips: [unfit] })))).toEqual([
    '  VIP 192.0.2.10: paris-blade-1 -> nobody else, so the last blade keeps it',
  ]);
  expect(text(snapshotOf(blade('paris-blade-1', { vips: [unfit] }), blade('paris-blade-2')))).toEqual([]);
});

test('a blade that is in service by the spec and cannot serve is not counted on', () => {
  const after = withDrains(drainOf('Blade', 'paris-blade-1'));
  const change = { what: 'drain', verb: 'drain' as const, target: { kind: 'Blade' as const, name: 'paris-blade-1' } };
  const said = (other: AgentPart) =>
    renderDrainPlan(change, planned(platform, after, snapshotOf(blade('paris-blade-1'), other))).filter((line) =>
      /in service then|does not count/.test(line),
    );
  const inService = '  pool paris-edge: in service then: paris-blade-2';
  expect(said(blade('paris-blade-2'))).toEqual([inService]);
  expect(said(blade('paris-blade-2', { vips: [unfit] }))).toEqual([
    inService,
    '    of these paris-blade-2 does not count now: cannot serve 192.0.2.10: NoTable',
  ]);
  expect(said(silent('paris-blade-2', 'edge'))).toEqual([
    inService,
    '    of these paris-blade-2 does not count now: it does not answer',
  ]);
});

test('who moves in the largest group comes first, whatever the names of the countries are', () => {
  const video = platform.policies.get('video')!;
  const rules = video.spec.rules!.map((rule) =>
    'countries' in rule && rule.countries?.includes('GB') ? { ...rule, countries: ['AE'] } : rule,
  );
  const policies = new Map([['video', { ...video, spec: { ...video.spec, rules } }]]);
  const plan = planned({ ...platform, policies }, { ...withDrains(drainOf('Cluster', 'paris')), policies }, bothWell);
  expect(plan.moves.map(({ countries }) => countries.join())).toEqual(['BE,ES,FR,IT,SN', 'AE']);
});

test('which VIPs a leaving blade announces is said to be unknown when it does not answer', () => {
  const snapshot = snapshotOf(silent('paris-blade-1', 'edge'), blade('paris-blade-2'));
  const plan = planned(platform, withDrains(drainOf('Blade', 'paris-blade-1')), snapshot);
  const unknown = ['which VIPs paris-blade-1, which leaves, announces: its agent cannot be reached'];
  expect(plan).toMatchObject({ reasons: [], unknown });
});

function bladeOfNewyork(name: string, fit: boolean): AgentPart {
  const state = { address: '198.51.100.10', fit, announced: fit, reasons: fit ? [] : ['NoTable'] };
  const part = blade(name, { blade: name, pool: 'newyork-edge', vips: [state] });
  return { ...part, target: { ...part.target, cluster: 'newyork', site: 'newyork', pool: 'newyork-edge' } };
}

test.each([
  [
    'none of its blades answers',
    [silent('newyork-blade-1', 'edge'), silent('newyork-blade-2', 'edge')],
    ['newyork does not answer: GB would be led there'],
  ],
  ['nobody asked it', [], ['newyork does not answer: GB would be led there']],
  [
    'only a blade that cannot serve answers',
    [bladeOfNewyork('newyork-blade-1', false)],
    ['newyork has no blade that can serve among those that answer: GB would be led there'],
  ],
  ['one of its blades can serve', [bladeOfNewyork('newyork-blade-1', true)], []],
])('a cluster to which users would be led is said to be unknown when %s', (_, parts, unknown) => {
  const snapshot = snapshotOf(...bothWell.agents, ...parts);
  const plan = planned(platform, withDrains(drainOf('Cluster', 'paris')), snapshot);
  expect(plan).toMatchObject({ reasons: [], unknown });
  expect(planned(platform, withDrains(drainOf('Blade', 'paris-blade-1')), snapshot).unknown).toEqual([]);
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

  const dead = snapshotOf(
    ...bothWell.agents,
    bladeOfNewyork('newyork-blade-1', false),
    bladeOfNewyork('newyork-blade-2', false),
  );
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
  const lines = renderDrainPlan(undrained('Cluster', 'paris'), plan).join('\n');
  expect(lines).toMatch(/paris-blade-1, paris-blade-2 in service again/);
  expect(lines).toMatch(/cloud -> paris for BE, ES, FR, IT, SN/);
});

test('to undrain a worker says that its routes of pods come back, and nothing of when they leave', () => {
  const plan = planned(withDrains(drainOf('Worker', 'paris-worker-1')), platform, bothWell);
  const lines = renderDrainPlan(undrained('Worker', 'paris-worker-1'), plan).join('\n');
  expect(lines).toMatch(/announces its routes of pods again/);
  expect(lines).not.toMatch(/leave/);
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

test('of the servers of a Drain the one of which nothing is known says more than one that has not heard of it', () => {
  const site = withDrains(drainOf('Site', 'paris'));
  const [state] = drainStates(site, snapshotOf(silent('paris-blade-1', 'edge'), blade('paris-blade-2')));
  expect(state?.phase).toBe('unknown');
});

test('the Drain that ends first is the first', () => {
  const later = withDrains(drainOf('Blade', 'paris-blade-1', 5_400_000), drainOf('Blade', 'paris-blade-2', 60_000));
  expect(drainStates(later, bothWell).map(({ target }) => target.name)).toEqual(['paris-blade-2', 'paris-blade-1']);
});

test('a Drain of a cluster in an API alone changes no DNS record, and says so', () => {
  const drained = withDrains(drainOf('Cluster', 'paris'));
  const dns = (...names: readonly string[]) => drainStates(drained, bothWell, { fromApis: new Set(names) })[0]?.dns;
  expect(dns()).toBe('follows at the next apply');
  expect(dns('cluster-paris')).toBe('follows by health checks alone; records follow a Drain in the folder');
  const change = { ...undrained('Cluster', 'paris'), verb: 'drain' as const };
  const said = (inApis: boolean) => renderDrainPlan({ ...change, inApis }, planned(platform, drained, bothWell)).join();
  expect(said(false)).toMatch(/records follow at the next tideline steering apply/);
  expect(said(true)).toMatch(/records follow the folder, and do not change/);
});
