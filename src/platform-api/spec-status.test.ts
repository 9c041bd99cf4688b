import { expect, it } from 'vitest';
import type { OwnObject } from '../kube/objects/own.ts';
import type { Verdict } from '../platform/spec-api.ts';
import type { PlatformApi } from './source.ts';
import { SpecStatuses } from './spec-status.ts';

const place = 'API of cluster paris';
const startMs = Date.parse('2026-01-01T00:00:00Z');
const verdictOf = (kind: Verdict['kind'], more: Partial<Verdict> = {}): Verdict => ({
  place,
  kind,
  name: 'paris',
  generation: 3,
  state: 'accepted',
  reason: 'InForce',
  message: 'it is',
  ...more,
});

/** The statuses of one object and of what became of it; a test changes both. */
function follow(kind: Verdict['kind'], spec: object = {}) {
  const world = {
    nowMs: startMs,
    object: { kind, metadata: { name: 'paris', uid: 'u', generation: 3 }, spec } as OwnObject<string>,
    verdict: verdictOf(kind),
  };
  const api = {
    current: () => ({ place }),
    objects: (asked: string) => new Map(asked === kind ? [['paris', world.object]] : []),
  } as unknown as PlatformApi;
  const statuses = new SpecStatuses({ api, verdicts: () => [world.verdict], now: () => world.nowMs });
  const said = (): readonly string[] => {
    const { conditions = [] } = (statuses.wishes()[0]?.wanted ?? {}) as {
      readonly conditions?: readonly { type: string; status: string; reason: string; lastTransitionTime: string }[];
    };
    return conditions.map((one) => `${one.type}=${one.status} ${one.reason} ${one.lastTransitionTime}`);
  };
  return { world, statuses, said };
}

const since = '2026-01-01T00:00:00Z';

it.each(['Site', 'Cluster', 'Freeze'] as const)(
  'says of a %s whether it is taken, and since when it is in force',
  (kind) => {
    const { world, statuses, said } = follow(kind);
    expect(said()).toEqual([`Accepted=True InForce ${since}`, `InForce=True InForce ${since}`]);
    expect(statuses.wishes()[0]).toMatchObject({ object: { kind, name: 'paris' }, wanted: { observedGeneration: 3 } });
    const first = statuses.wishes();
    world.nowMs += 60_000;
    expect(statuses.wishes()).toBe(first);
    world.object = { ...world.object, status: first[0]?.wanted as never };
    expect(statuses.wishes()[0]?.held).toEqual(statuses.wishes()[0]?.wanted);
  },
);

it.each([
  ['held', 'CopiesDiffer', 'InForce=True CopiesDiffer'],
  ['refused', 'NotTrusted', 'InForce=False NotTrusted'],
] as const)('of one that is %s says why', (state, reason, force) => {
  const { world, said } = follow('Site');
  world.verdict = verdictOf('Site', { state, reason });
  expect(said().map((text) => text.replace(` ${since}`, ''))).toEqual([`Accepted=False ${reason}`, force]);
});

it('says of a Freeze that it is over, and nothing of a generation that nobody judged', () => {
  const until = '2026-01-01T01:00:00Z';
  const { world, statuses, said } = follow('Freeze', { until });
  expect(said()[1]).toBe(`InForce=True InForce ${since}`);
  world.nowMs = Date.parse(until);
  expect(said()[1]).toBe(`InForce=False Expired ${until}`);
  const last = statuses.wishes();
  world.verdict = verdictOf('Freeze', { generation: 4 });
  expect(statuses.wishes()).toEqual(last);
});

it.each(['TrafficOverlay', 'TrafficVerdict'] as const)('says of a %s only whether it is taken', (kind) => {
  const { world, said } = follow(kind);
  expect(said()).toEqual([`Accepted=True InForce ${since}`]);
  world.verdict = verdictOf(kind, { state: 'refused', reason: 'NotTrusted' });
  expect(said()).toEqual([`Accepted=False NotTrusted ${since}`]);
});

it('leaves other kinds alone', () => {
  expect(follow('EdgePool').statuses.wishes()).toEqual([]);
});
