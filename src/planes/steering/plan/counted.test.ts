import { expect, test } from 'vitest';
import { holding, type Meddling } from '../../../../test/support/steering/holding.ts';
import { planZone } from '../../../../test/support/steering/plans.ts';
import { examplePlatform, withDefault } from '../../../../test/support/steering/world.ts';
import type { RecordSet } from '../../../answers/record.ts';
import type { OtherCheck } from '../providers/provider.ts';
import { ExpectedAnswers } from './expected.ts';
import { overGuardText } from './guard.ts';
import { planStep, type ZonePlan } from './plan.ts';
import { renderStanding, standingOf } from './standing.ts';

const zone = 'video.example';
const host = `www.${zone}`;
const [paris, newyork, cloud] = ['192.0.2.10', '198.51.100.10', '203.0.113.10'] as const;
const well = { [paris]: true, [newyork]: true, [cloud]: true };
const others = (settings: Partial<{ disabled: boolean; inverted: boolean }> = {}, isTold = true): Meddling['others'] =>
  new Map([['id:X', { id: 'X', settings: { disabled: false, inverted: false, ...settings }, isTold }]]);

/** Whoever is served by cloud, and so moves when it is put back: all but France, the Americas and some. */
const ofCloud = 185 / 246;
const said = ({ overGuard }: ZonePlan): readonly string[] => overGuard.map(overGuardText);
const moved = ({ impacts: [impact] }: ZonePlan) => [impact?.movedShare, impact?.movedNow];

test('an inverted check fails over whom it watches, and the plan that ends it says whom that moves back', async () => {
  const platform = await examplePlatform();
  const plan = await planZone(
    platform,
    holding(platform, well, { settings: { [cloud]: { inverted: true } } }),
    zone,
    0,
  );
  expect(moved(plan)).toEqual([0, expect.closeTo(ofCloud, 9)]);
  expect(said(plan)).toEqual([`${host} moves 75.2% of the traffic now, the guard allows 25%`]);
  expect(plan.notices.map(({ reason, message }) => `${reason}: ${message}`)).toContainEqual(
    expect.stringMatching(
      /^HealthCheckOverridden: somebody inverted the health check \S+ of 203\.0\.113\.10: it counts as failing, .*; this plan ends that$/,
    ),
  );
});

test('a plan of something else counts them as well', async () => {
  const platform = await examplePlatform();
  const reader = holding(platform, well, { settings: { [cloud]: { inverted: true } } });
  const [, now] = moved(await planZone(withDefault(platform, 'newyork'), reader, zone, 0));
  // They get paris now, because cloud is forced down.
  expect(now).toBeGreaterThan(0.5);
});

test('a disabled check keeps users at what is down, and the plan says who moves when it is enabled', async () => {
  const platform = await examplePlatform();
  const reader = holding(platform, { ...well, [cloud]: false }, { settings: { [cloud]: { disabled: true } } });
  const plan = await planZone(platform, reader, zone, 0);
  expect(moved(plan)).toEqual([0, expect.closeTo(ofCloud, 9)]);
  // They are led away from a dead cluster, by a share that a person is asked about.
  expect(plan.impacts[0]?.lostNow).toBeUndefined();
  expect(said(plan)).toHaveLength(1);
});

const withOtherCheck = (record: RecordSet): RecordSet =>
  record.target.kind === 'values' && record.target.values.includes(cloud) ? { ...record, healthCheck: 'id:X' } : record;

test.each([
  ['fails', others(), { 'id:X': false }, ofCloud, /use the health check X of somebody else: it counts as failing/],
  ['succeeds', others(), { 'id:X': true }, 0, /it counts as healthy/],
  ['is inverted and succeeds', others({ inverted: true }), { 'id:X': true }, ofCloud, /counts as failing/],
  ['is disabled and fails', others({ disabled: true }), { 'id:X': false }, 0, /counts as healthy/],
  ['is calculated', others({}, false), { 'id:X': true }, ofCloud, /is not known, and is taken for failing/],
  ['is not told', others(), {}, ofCloud, /is not known, and is taken for failing/],
  ['is gone', new Map(), {}, ofCloud, /is not known, and is taken for failing/],
] as const)('records of ours with a check of somebody else that %s', async (_, other, told, share, says) => {
  const platform = await examplePlatform();
  const reader = holding(platform, { ...well, ...told }, { others: other ?? new Map(), change: withOtherCheck });
  const plan = await planZone(platform, reader, zone, 0);
  expect(plan.impacts[0]?.movedNow).toBeCloseTo(share, 9);
  expect(plan.notices.map(({ message }) => message).join('\n')).toMatch(says);
});

const child = (id: string, settings: Partial<{ disabled: boolean; inverted: boolean }> = {}) =>
  [`id:${id}`, { id, settings: { disabled: false, inverted: false, ...settings }, isTold: true }] as const;
const calculated = (threshold: number, settings: Partial<{ disabled: boolean; inverted: boolean }> = {}) =>
  new Map<string, OtherCheck>([
    child('a'),
    child('b'),
    child('c', settings),
    [
      'id:X',
      {
        id: 'X',
        settings: { disabled: false, inverted: false },
        isTold: false,
        calculated: { children: ['id:a', 'id:b', 'id:c'], threshold },
      },
    ] as const,
  ]);

test.each([
  ['two of three are healthy, as many as it wants', calculated(2), { a: true, b: true, c: false }, 0],
  ['one of three is', calculated(2), { a: true, b: false, c: false }, ofCloud],
  ['the third is inverted and fails', calculated(2, { inverted: true }), { a: true, b: false, c: false }, 0],
  ['the third is disabled', calculated(2, { disabled: true }), { a: true, b: false, c: false }, 0],
  ['it wants none', calculated(0), { a: false, b: false, c: false }, 0],
  ['two are, and nothing is known of the third', calculated(2), { a: true, b: true }, 0],
  ['two are not, and nothing is known of the third', calculated(2), { a: false, b: false }, ofCloud],
  ['the one that nobody knows decides', calculated(2), { a: true, b: false }, ofCloud],
] as const)(
  'a calculated check of somebody else is counted from the checks that it is made of: %s',
  async (...given) => {
    const [, made, seen, share] = given;
    const platform = await examplePlatform();
    const told = Object.fromEntries(Object.entries(seen).map(([id, healthy]) => [`id:${id}`, healthy]));
    const reader = holding(platform, { ...well, ...told }, { others: made, change: withOtherCheck });
    const plan = await planZone(platform, reader, zone, 0);
    expect(plan.impacts[0]?.movedNow).toBeCloseTo(share, 9);
    expect(plan.notices.map(({ message }) => message).join('\n')).toMatch(
      /health check X of somebody else, which wants \d of 3 other checks healthy: /,
    );
    expect(reader.asked.flat()).not.toContain('id:X');
  },
);

test('an explanation says whom an inverted check leads where now, unless clusters are supposed to be down', async () => {
  const platform = await examplePlatform();
  const policy = platform.policies.get('video');
  if (policy === undefined) throw new Error('no policy');
  const reader = holding(platform, well, { settings: { [cloud]: { inverted: true } } });
  const question = { policy, host, country: 'JP', nowMs: 0 };
  const standing = await standingOf(platform, reader, question);
  expect(standing.families).toMatchObject([{ healthy: 'cloud', now: 'paris', policy: { now: 'cloud' } }]);
  expect(renderStanding(standing).join('\n')).toMatch(
    /note: somebody inverted the health check .*\(HealthCheckOverridden\)\n {4}A: paris, and cloud while everything is healthy\n +OTHERWISE/,
  );
  const supposed = await standingOf(platform, reader, { ...question, supposed: ['newyork'] });
  expect(supposed).toMatchObject({ notices: [], families: [{ now: 'cloud' }] });
});

const theirs: readonly RecordSet[] = (['PRIMARY', 'SECONDARY'] as const).map((role) => ({
  name: host,
  type: 'A',
  setIdentifier: role,
  routing: { kind: 'failover', role },
  target: { kind: 'values', ttlSeconds: 60, values: [role === 'PRIMARY' ? paris : cloud] },
  ...(role === 'PRIMARY' ? { healthCheck: 'id:X' } : {}),
}));

test('an adoption counts whom the check of somebody else has led elsewhere, and a release to its records does so too', async () => {
  const all = withDefault(await examplePlatform(), 'paris');
  const policies = [...all.policies].map(
    ([name, policy]) =>
      [name, { ...policy, spec: { ...policy.spec, rules: [...policy.spec.rules].slice(0, 0) } }] as const,
  );
  const platform = { ...all, policies: new Map(policies) };
  const told = { ...well, 'id:X': false };
  const meddling = { others: others() ?? new Map(), instead: theirs };
  const adoption = await planStep(
    platform,
    holding(platform, told, meddling),
    { zone, purpose: { kind: 'adopt', host } },
    0,
  );
  expect(moved(adoption)).toEqual([0, expect.closeTo(1, 9)]);
  expect(said(adoption)).toEqual([`${host} moves 100% of the traffic now, the guard allows 25%`]);
  const back = holding(platform, told, { others: others() ?? new Map() });
  const release = await planStep(platform, back, { zone, purpose: { kind: 'release', host, to: theirs } }, 0);
  expect(moved(release)).toEqual([0, expect.closeTo(1, 9)]);
  // Name servers that answer so are right: nothing is down, and the check of somebody else says otherwise.
  const expected = new ExpectedAnswers(release);
  const question = { host, type: 'A', country: 'FR' } as const;
  expect([expected.addresses(question), expected.addresses(question, new Set())].map((one) => [...one])).toEqual([
    [paris],
    [cloud],
  ]);
  expect(said(release)).not.toEqual([]);
});
