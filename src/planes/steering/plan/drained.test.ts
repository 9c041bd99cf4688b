import { expect, test } from 'vitest';
import { withDrainOf } from '../../../../test/support/steering/agent.ts';
import { holding } from '../../../../test/support/steering/holding.ts';
import { memoryProviders } from '../../../../test/support/steering/memory.ts';
import { planZone } from '../../../../test/support/steering/plans.ts';
import { examplePlatform, withIPv6OnCloud } from '../../../../test/support/steering/world.ts';
import { weightsOf } from '../../../model/country-weights.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { applyPlans } from './apply.ts';
import { drainedIn } from './drained.ts';
import { checksumOf } from './plan.ts';

const zone = 'video.example';
const nowMs = Date.parse('2026-01-01T00:00:00Z');
const [paris, newyork, cloud] = ['192.0.2.10', '198.51.100.10', '203.0.113.10'];
const inDrain = (platform: Platform, cluster: string) => withDrainOf(platform, cluster, nowMs + 3_600_000);
const approved = { share: 1, failoverShare: 1, removals: [], down: [], broken: [] };

test('says how many users are led there before an apply, and when the last answer ends after it', async () => {
  const platform = await examplePlatform();
  const connect = memoryProviders();
  const reader = await connect('route53');
  const first = await planZone(platform, reader, zone, nowMs - 7_200_000);
  await applyPlans([first], { checksum: checksumOf([first]), ...approved }, connect);
  expect(drainedIn(await planZone(platform, reader, zone, nowMs), platform, { nowMs })).toEqual([]);

  const drained = inDrain(platform, 'paris');
  const plan = await planZone(drained, reader, zone, nowMs);
  const [before] = drainedIn(plan, drained, { nowMs });
  expect(before).toMatchObject({ drain: 'paris-works', ttlSeconds: 30 });
  expect(before).not.toHaveProperty('emptyAtMs');
  expect(before?.share).toBe(before?.byFamily.ipv4);
  expect(before?.byFamily).not.toHaveProperty('ipv6');
  expect(before?.share).toBeCloseTo(plan.impacts[0]?.movedShare ?? 0, 4);

  const [said] = drainedIn(plan, drained, { nowMs, isWritten: true });
  expect(said).toMatchObject({ share: 0, byFamily: { ipv4: 0 }, emptyAtMs: nowMs + 30_000 });
  await applyPlans([plan], { checksum: checksumOf([plan]), ...approved }, connect);
  const again = await planZone(drained, reader, zone, nowMs + 10_000);
  // Whoever looks later, and also one that remembers nothing, finds the same moment in the notes of the zone.
  expect(drainedIn(again, drained, { nowMs: nowMs + 10_000 })).toEqual([said]);
  const remembered = { ...said, emptyAtMs: nowMs + 1000 } as NonNullable<typeof said>;
  expect(drainedIn(again, drained, { nowMs: nowMs + 10_000, before: [remembered] })).toEqual([remembered]);
});

test('says it by family, and weighs countries by their demand', async () => {
  const platform = inDrain(withIPv6OnCloud(await examplePlatform()), 'cloud');
  const without = { ...platform, drains: new Map() };
  const reader = holding(without, { [paris]: true, [newyork]: true, [cloud]: true });
  const [alike] = drainedIn(await planZone(platform, reader, zone, nowMs), platform, { nowMs });
  expect(alike?.byFamily.ipv6).toBe(1);
  expect(alike?.byFamily.ipv4).toBeLessThan(0.9);
  expect(alike?.share).toBe(1);
  const weights = weightsOf({ measuredAtMs: nowMs, requestsPerSecond: { FR: 1000 } }, nowMs);
  const demand = { ...weights, of: (code: string) => (code === 'FR' ? 1 : 0) };
  const [weighed] = drainedIn(await planZone(platform, reader, zone, nowMs, { weights: demand }), platform, { nowMs });
  expect(weighed?.byFamily.ipv4).toBe(0);
});

test('counts in the present health: where checks lead users elsewhere already, the last answer ends a TTL from now', async () => {
  const platform = await examplePlatform();
  const drained = inDrain(platform, 'paris');
  const reader = holding(platform, { [paris]: false, [newyork]: true, [cloud]: true });
  const [said] = drainedIn(await planZone(drained, reader, zone, nowMs), drained, { nowMs });
  expect(said).toMatchObject({ share: 0, emptyAtMs: nowMs + 30_000 });
});

test('says nothing of a Drain of one blade, nor of one that is over', async () => {
  const platform = await examplePlatform();
  const reader = holding(platform, {});
  const over = withDrainOf(platform, 'paris', nowMs - 1);
  expect(drainedIn(await planZone(over, reader, zone, nowMs), over, { nowMs })).toEqual([]);
});
