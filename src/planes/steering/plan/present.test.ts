import { expect, test } from 'vitest';
import { holding } from '../../../../test/support/steering/holding.ts';
import { planZone } from '../../../../test/support/steering/plans.ts';
import { examplePlatform, withCheck, withDefault, withIPv6OnCloud } from '../../../../test/support/steering/world.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { approvalsFor, isApproved, overGuardText } from './guard.ts';
import { renderHealth } from './health-text.ts';
import { type Asked, planStep } from './plan.ts';
import type { Probe } from './present.ts';
import { renderPlans } from './text.ts';

const zone = 'video.example';

const [paris, newyork, cloud] = ['192.0.2.10', '198.51.100.10', '203.0.113.10'];
const seeing =
  (results: Readonly<Record<string, Awaited<ReturnType<Probe>>>>): Probe =>
  async ({ address }) =>
    results[address] ?? 'silent';

test('the guard judges the present health where more moves in it', async () => {
  const platform = await examplePlatform();
  // Everybody is answered by newyork while the two others are down; the plan leads the countries of cloud to paris first.
  const reader = holding(platform, { [paris]: true, [newyork]: true, [cloud]: false });
  const spec = withDefault(platform, 'newyork');
  const plan = await planZone(spec, reader, zone, 0);
  const [impact] = plan.impacts;
  expect(impact?.families[0]?.now?.groups[0]).toMatchObject({ before: 'paris', after: 'newyork' });
  expect(impact?.movedNow).toBeCloseTo((246 - 55 - 6) / 246, 9);
  expect(plan.overGuard.map(overGuardText)).toEqual([
    'www.video.example moves 75.2% of the traffic, the guard allows 25%',
  ]);
  expect(renderHealth(plan.health)).toEqual([`  health now: cloud (${cloud}) is down, say the provider's checks`]);
});

test('users whom a release leads to what is down need a word of their own, however few they are', async () => {
  const platform = await examplePlatform();
  const reader = holding(platform, { [paris]: false, [newyork]: true, [cloud]: true });
  const purpose = { kind: 'release', host: 'www.video.example' } as const;
  const plan = await planStep(platform, reader, { zone, purpose }, 0);
  const [over] = plan.overGuard;
  expect(over).toMatchObject({ kind: 'down', clusters: ['paris'] });
  expect(over && overGuardText(over)).toBe('www.video.example would lead 2.2% of the traffic to paris, down now');
  expect(approvalsFor(plan.overGuard)).toContain('--approve-down paris');
  const approval = { checksum: '', share: 1, failoverShare: 1, down: ['newyork'], removals: [], broken: [] };
  expect(over && isApproved(over, approval)).toBe(false);
  expect(over && isApproved(over, { ...approval, down: ['paris'] })).toBe(true);
});

test('a plan speaks only of dead clusters to which it leads more users than before', async () => {
  const purpose = { kind: 'release', host: 'www.video.example' } as const;
  const named = async (platform: Platform, told: Readonly<Record<string, boolean>>) => {
    const { overGuard } = await planStep(platform, holding(platform, told), { zone, purpose }, 0);
    return overGuard.flatMap((over) => (over.kind === 'down' ? over.clusters : []));
  };
  const platform = await examplePlatform();
  // Cloud is down as well, and answers nobody before and after.
  const withoutCloud = withDefault(platform, 'newyork');
  expect(await named(withoutCloud, { [paris]: false, [newyork]: true, [cloud]: false })).toEqual(['paris']);
  // Where everything is down, users are led to dead clusters already.
  expect(await named(platform, { [paris]: false, [newyork]: false, [cloud]: false })).toEqual([]);
});

test('a plan that changes nothing but a health check says that its site is down', async () => {
  const platform = await examplePlatform();
  const reader = holding(platform, { [paris]: false, [newyork]: true, [cloud]: true });
  const plan = await planZone(withCheck(platform, { failureThreshold: 4 }), reader, zone, 0);
  expect([plan.changes.create, plan.checks.update.length]).toEqual([[], 1]);
  expect(renderHealth(plan.health)).toEqual([`  health now: paris (${paris}) is down, say the provider's checks`]);
});

test('what the provider does not tell is looked at from here, and is not known where nothing answers', async () => {
  const platform = await examplePlatform();
  const spec = withDefault(withIPv6OnCloud(platform), 'newyork');
  const reader = holding(platform, { [paris]: false });
  const plan = await planZone(spec, reader, zone, 0, { probe: seeing({ [newyork]: 'healthy' }) });
  expect(plan.health).toEqual([
    { policy: 'video', cluster: 'cloud', address: cloud, healthy: false, seenBy: 'this machine' },
    // Nothing answers this machine over IPv6.
    { policy: 'video', cluster: 'cloud', address: '2001:db8:6::10' },
    { policy: 'video', cluster: 'newyork', address: newyork, healthy: true, seenBy: 'this machine' },
    { policy: 'video', cluster: 'paris', address: paris, healthy: false, seenBy: 'provider' },
  ]);
  expect(renderHealth(plan.health)).toEqual([
    `  health now: cloud (${cloud}) is down, as seen from this machine`,
    `  health now: paris (${paris}) is down, say the provider's checks`,
    '  health now: cloud (2001:db8:6::10) is not known to be healthy or down; it counts as healthy here',
  ]);
  const blind = await planZone(spec, holding(platform, {}), zone, 0, { probe: seeing({}) });
  expect(new Set(blind.health.map(({ healthy }) => healthy))).toEqual(new Set([undefined]));
  expect(blind.impacts[0]?.movedNow).toBeUndefined();
});

test('nobody is asked for the health of a policy whose answers stay', async () => {
  const platform = await examplePlatform();
  const reader = holding(platform, { [paris]: false });
  const plan = await planZone(platform, reader, zone, 0, {
    probe: () => Promise.reject(new Error('was asked')),
  });
  expect([plan.batches, plan.health, reader.asked]).toEqual([[], [], []]);
});

test('a cluster of which too few addresses answer is said to be no first choice, each family by itself', () => {
  const entry = (address: string, healthy: boolean) => ({
    policy: 'video',
    cluster: 'paris',
    address,
    minHealthyAddresses: 2,
    healthy,
    seenBy: 'provider' as const,
  });
  const one = entry('192.0.2.10', false);
  const six = [entry('2001:db8::10', true), entry('2001:db8::11', true), entry('2001:db8::12', false)];
  expect(renderHealth([one, entry('192.0.2.11', true), entry('192.0.2.12', true), ...six])).toEqual([
    "  health now: paris (192.0.2.10, 2001:db8::12) are down, say the provider's checks",
  ]);
  // Two policies of one cluster see the same addresses.
  const other = { ...one, policy: 'news' };
  expect(renderHealth([one, other, entry('192.0.2.11', false), entry('192.0.2.12', true), ...six]).slice(1)).toEqual([
    '  health now: paris over IPv4 is no first choice: 1 of 3 addresses answers, and 2 are needed',
  ]);
  const down = [one, entry('192.0.2.11', false)];
  expect(renderHealth(down)).toEqual([
    "  health now: paris (192.0.2.10, 192.0.2.11) are down, say the provider's checks",
  ]);
});

test('a plan that changes no answer says the present health in one line, where it is asked to', async () => {
  const platform = await examplePlatform();
  const linesWith = async (told: Readonly<Record<string, boolean>>, asked: Asked) => {
    const reader = holding(platform, told);
    const lines = renderPlans([await planZone(platform, reader, zone, 0, asked)]);
    return { asked: reader.asked.length, lines: lines.filter((line) => line.includes('health now')) };
  };
  const well = { [paris]: true, [newyork]: true, [cloud]: true };
  const health = 'ifNothingChanges';
  expect(await linesWith(well, { health })).toEqual({
    asked: 1,
    lines: ["  health now: all 3 addresses are healthy, say the provider's checks"],
  });
  expect(await linesWith({ ...well, [paris]: false }, { health })).toEqual({
    asked: 1,
    lines: ["  health now: paris (192.0.2.10) is down, say the provider's checks"],
  });
  // An agent looks every half minute, and reads the health only where somebody may be moved.
  expect(await linesWith(well, {})).toEqual({ asked: 0, lines: [] });
});
