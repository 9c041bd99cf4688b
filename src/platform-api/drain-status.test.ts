import { expect, it } from 'vitest';
import type { OwnObject } from '../kube/objects/own.ts';
import type { StatusWish } from '../kube/status/contest.ts';
import { type LeftTogether, leftTogether } from '../model/platform/drain-left.ts';
import type { Verdict } from '../platform/spec-api.ts';
import { DrainStatuses } from './drain-status.ts';
import type { PlatformApi } from './source.ts';

const place = 'API of cluster paris';
const startMs = Date.parse('2026-01-01T00:00:00Z');
const expires = '2026-01-01T01:00:00Z';
const drain = (more: object = {}): OwnObject<'Drain'> => ({
  kind: 'Drain',
  metadata: { name: 'd', uid: 'u', generation: 2 },
  spec: { expires },
  ...more,
});
const inForce: Verdict = {
  place,
  kind: 'Drain',
  name: 'd',
  generation: 2,
  state: 'accepted',
  reason: 'InForce',
  message: 'it is',
};

/** The statuses of what the API and the verdicts say at the moment; the test changes all three. */
function follow() {
  const world = {
    nowMs: startMs,
    object: drain(),
    verdict: inForce,
    left: undefined as LeftTogether | undefined,
    concernsDns: false,
  };
  const api = { current: () => ({ place }), objects: () => new Map([['d', world.object]]) } as unknown as PlatformApi;
  const left = (names: readonly string[]) =>
    new Map(names.flatMap((name) => (world.left === undefined ? [] : [[name, world.left] as const])));
  const concernsDns = () => world.concernsDns;
  const statuses = new DrainStatuses({
    api,
    verdicts: () => [world.verdict],
    left,
    concernsDns,
    now: () => world.nowMs,
  });
  const said = (): readonly string[] => {
    const { wanted } = statuses.wishes()[0] ?? {};
    const { conditions = [] } = (wanted ?? {}) as { readonly conditions?: readonly Record<string, string>[] };
    return conditions.map(
      (one) =>
        `${one['type']}=${one['status']} ${one['reason']} ${one['observedGeneration']} ${one['lastTransitionTime']}`,
    );
  };
  return { world, statuses, said };
}

it('says since when a Drain is in force, and that it is over when its time is', () => {
  const { world, statuses, said } = follow();
  const since = '2026-01-01T00:00:00Z';
  expect(said()).toEqual([`Accepted=True InForce 2 ${since}`, `InForce=True InForce 2 ${since}`]);
  const first = statuses.wishes();
  world.nowMs += 60_000;
  expect(statuses.wishes()).toBe(first);
  world.nowMs = Date.parse(expires);
  expect(said()).toEqual([`Accepted=True InForce 2 ${since}`, `InForce=False Expired 2 ${expires}`]);
});

it.each([
  ['held', 'Accepted=False ObjectUnreadable', 'InForce=True ObjectUnreadable'],
  ['refused', 'Accepted=False ObjectUnreadable', 'InForce=False ObjectUnreadable'],
] as const)('of an object that is %s says why', (state, accepted, force) => {
  const { world, said } = follow();
  world.verdict = { ...inForce, state, reason: 'ObjectUnreadable' };
  expect(said().map((text) => text.split(' ').slice(0, 2).join(' '))).toEqual([accepted, force]);
});

it('says nothing new of a generation on which there is no verdict yet, and wishes nothing once its status stands', () => {
  const { world, statuses } = follow();
  const first = statuses.wishes();
  world.object = drain({ metadata: { name: 'd', uid: 'u', generation: 3 } });
  expect(statuses.wishes()).toBe(first);
  world.object = drain({ status: first[0]?.wanted });
  const [wish] = statuses.wishes();
  expect(wish?.held).toEqual(wish?.wanted);
  expect(wish?.wanted).toEqual(first[0]?.wanted);
});

const emptyOf = (wish: StatusWish | undefined) => {
  const { conditions = [], left } = (wish?.wanted ?? {}) as {
    readonly conditions?: readonly Record<string, string>[];
    readonly left?: object;
  };
  const empty = conditions.find(({ type }) => type === 'Empty');
  return {
    said: empty && `${empty['status']} ${empty['reason']}: ${empty['message']}`,
    left,
    since: empty?.['lastTransitionTime'],
  };
};
const busy = { vips: 1, connections: 3, requestsPerSecond: 12 };

it.each([
  ['draining', leftTogether([{ phase: 'draining', text: 'b1 is busy', counts: busy }]), 'False Draining: b1 is busy'],
  [
    'waiting',
    leftTogether([{ phase: 'waiting', text: 'b1 has not heard' }, { phase: 'empty' }]),
    'False NotHeardOf: b1 has not heard',
  ],
  ['unknown', leftTogether([{ phase: 'unknown', text: 'b1 is silent' }]), 'Unknown NotKnown: b1 is silent'],
  ['of nobody', leftTogether([]), 'Unknown NotKnown: no agent is known that it concerns'],
  ['empty', leftTogether([{ phase: 'empty' }]), 'True NothingLeft: nothing is left'],
] as const)('says what is left: %s', (_, left, says) => {
  const { world, statuses } = follow();
  world.left = left;
  expect(emptyOf(statuses.wishes()[0])).toMatchObject({ said: says, left: left.counts });
});

it('is not empty where policies name what is drained and nobody says what DNS answers', () => {
  const { world, statuses } = follow();
  const of = () => emptyOf(statuses.wishes()[0]).said;
  world.left = leftTogether([{ phase: 'empty' }]);
  expect(of()).toBe('True NothingLeft: nothing is left');
  world.concernsDns = true;
  expect(of()).toBe(
    'Unknown DnsNotKnown: DNS: unknown: neither a steering agent nor an apply says here what DNS answers',
  );
  world.left = leftTogether([{ phase: 'draining', text: 'b1 is busy', counts: busy }]);
  expect(of()).toMatch(/^False Draining: b1 is busy; DNS: unknown/);
});

it('is not empty while DNS leads users there, nor before the last answer of before has ended', () => {
  const { world, statuses } = follow();
  const saidOf = (status: object) => {
    world.object = drain({ spec: { expires, target: { kind: 'Cluster', name: 'paris' } }, status });
    return emptyOf(statuses.wishes()[0]).said;
  };
  world.left = leftTogether([{ phase: 'empty' }]);
  expect(saidOf({ dnsShare: 0.2, dnsShareByFamily: { ipv4: 0.2 } })).toBe(
    'False Draining: DNS still leads 20 % of the users of a host there',
  );
  const gone = { dnsShare: 0, dnsShareByFamily: { ipv4: 0 }, dnsEmptyAt: '2026-01-01T00:00:30Z' };
  expect(saidOf(gone)).toMatch(/^False Draining: .*until 2026-01-01T00:00:30Z$/);
  world.nowMs += 30_000;
  expect(saidOf(gone)).toBe('True NothingLeft: nothing is left');
});

it('takes the figures away when a server is silent: the others alone would look like all', () => {
  const { world, statuses } = follow();
  world.left = leftTogether([{ phase: 'draining', text: 'b1 is busy', counts: busy }]);
  const [written] = statuses.wishes();
  world.object = drain({ status: written?.wanted });
  world.left = leftTogether([{ phase: 'unknown', text: 'b1 is silent' }]);
  expect(emptyOf(statuses.wishes()[0])).toMatchObject({ said: 'Unknown NotKnown: b1 is silent', left: undefined });
});

it('leaves what another blade wrote while it does not know, and takes it away when the Drain is over', () => {
  const { world, statuses } = follow();
  world.left = leftTogether([{ phase: 'draining', text: 'b1 is busy', counts: busy }]);
  const [written] = statuses.wishes();
  const other = follow();
  other.world.object = drain({ status: written?.wanted });
  other.world.nowMs += 60_000;
  const [stays] = other.statuses.wishes();
  expect(stays?.wanted).toEqual(written?.wanted);
  expect(stays?.held).toEqual(stays?.wanted);
  world.object = drain({ status: written?.wanted });
  world.nowMs = Date.parse(expires);
  const [over] = statuses.wishes();
  expect(emptyOf(over)).toEqual({ said: undefined, left: undefined, since: undefined });
  expect(over?.held).not.toEqual(over?.wanted);
});
