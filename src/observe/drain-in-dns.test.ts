import { expect, test } from 'vitest';
import { blade, takenAtMs } from '../../test/support/snapshot.ts';
import { withDrainOf } from '../../test/support/steering/agent.ts';
import { loadPlatformOrThrow } from '../platform/load.ts';
import { renderDrains } from './drain-text.ts';
import { drainStates, type SaidOfDrains } from './drains.ts';
import type { SteeringPart, ZoneSeen } from './steering-part.ts';

const platform = await loadPlatformOrThrow(['examples/hybrid']);
const paris = withDrainOf(platform, 'paris', takenAtMs + 3_600_000);
const vip = { address: '192.0.2.10', fit: false, announced: true, reasons: ['Draining', 'LastAnnouncer'] };
const nothing = { draining: true, vips: [], nginx: { activeConnections: 0 } };
/** The zones of the policies that name paris, each with each provider. */
const zones = [...platform.policies.values()].flatMap(({ spec: { dns } }) =>
  dns.providers.map((provider) => ({ provider, zone: dns.zone })),
);

type Drains = ZoneSeen['drains'];

function agentSaying(drainsOf: (at: number) => Drains): readonly SteeringPart[] {
  const seen = zones.map((zone, at) => ({
    ...zone,
    state: 'inForce',
    sinceMs: 0,
    conditions: [],
    holds: [],
    returns: [],
    drains: drainsOf(at),
  }));
  const steering = { agent: 'steering' as const, mode: 'automatic', leadership: { leading: true }, zones: seen };
  return [{ at: 'a', steering }];
}

const view = (share: number): Drains => [
  { drain: 'paris-works', share, byFamily: { ipv4: share }, ttlSeconds: 30, emptyAtMs: share > 0 ? undefined : 0 },
];

function stateOf(
  steering: readonly SteeringPart[] | undefined,
  said: SaidOfDrains = {},
  vips: readonly (typeof vip)[] = [],
) {
  const agents = [blade('paris-blade-1', { ...nothing, vips: [...vips] }), blade('paris-blade-2', nothing)];
  const seen = { takenAtMs, agents, clusters: [], pools: [], drains: [] };
  return drainStates(paris, { ...seen, ...(steering === undefined ? {} : { steering }) }, said);
}

test('a cluster whose blades have nothing left is not empty while a steering agent says that DNS leads there', () => {
  const still = stateOf(agentSaying(() => view(0.5)));
  expect(still).toMatchObject([{ phase: 'draining', inDns: { share: 0.5 } }]);
  expect(renderDrains(still, takenAtMs).join()).toContain('DNS still leads 50 % of the users of a host there');
  expect(stateOf(agentSaying(() => view(0)))).toMatchObject([{ phase: 'empty', inDns: { share: 0 } }]);
});

test('where nobody says what DNS answers it is unknown, and a cluster is not called empty', () => {
  const [unasked] = stateOf(undefined);
  expect(unasked).toMatchObject({
    phase: 'unknown',
    onlyDnsUnknown: true,
    left: ['DNS: unknown (name a steering agent with --steering HOST:PORT; no API says it either)'],
  });
  const [silent] = stateOf([{ at: 'a', problem: 'cannot be reached' }]);
  expect(silent).toMatchObject({
    phase: 'unknown',
    left: [expect.stringMatching(/^DNS: unknown \(no steering agent/)],
  });
});

test('a zone that does not know the Drain yet, or was not looked at, leaves it unknown; what still leads there is known', () => {
  expect(zones.length).toBeGreaterThan(1);
  for (const other of [[], undefined]) {
    expect(stateOf(agentSaying((at) => (at === 0 ? other : view(0))))).toMatchObject([{ phase: 'unknown' }]);
    expect(stateOf(agentSaying((at) => (at === 0 ? other : view(0.1))))).toMatchObject([
      { phase: 'draining', inDns: { share: 0.1 } },
    ]);
  }
});

test('the status of the Drain in an API says it where no steering agent is asked, and one name server that lags is waited for', () => {
  const inStatus = new Map([['paris-works', { share: 0, byFamily: {}, emptyAtMs: takenAtMs - 1 }]]);
  expect(stateOf(undefined, { inStatus })).toMatchObject([{ phase: 'empty', inDns: { share: 0 } }]);
  const following = new Map([['paris-works', { text: 'FR for www is still led to paris by ns1', still: true }]]);
  expect(stateOf(undefined, { inStatus, following })).toMatchObject([{ phase: 'draining' }]);
});

test('VIPs that the last blades keep hold up an empty cluster only while DNS may lead somebody to them', () => {
  const gone = agentSaying(() => view(0));
  const left = ['paris-blade-1 keeps 192.0.2.10 as the last blade'];
  expect(stateOf(gone, {}, [vip])).toMatchObject([{ phase: 'empty', left }]);
  expect(stateOf(undefined, {}, [vip])).toMatchObject([{ phase: 'unknown', onlyDnsUnknown: true }]);
  expect(stateOf(gone, {}, [{ ...vip, reasons: [] }])).toMatchObject([{ phase: 'draining' }]);
});
