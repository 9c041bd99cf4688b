import { expect, test } from 'vitest';
import { nowMs, scaled, targetIn, worldOf } from '../../../../test/support/scaling/world.ts';
import { examplePlatform } from '../../../../test/support/steering/world.ts';
import { apiVersion } from '../../../model/contract.ts';
import { Drain } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { floorsOf, rememberedArriving } from '../compile/floors.ts';
import type { Observed } from '../compile/observed.ts';
import type { PresentHealth } from '../compile/world.ts';
import { releaseDoubts } from './doubts.ts';
import { holdPlan, type Release } from './plan.ts';

const example = await examplePlatform();
const workload = { kind: 'HorizontalPodAutoscaler', namespace: 'video', name: 'web' };
const target = targetIn('cloud-europe', { workload });
const [floor] = floorsOf(worldOf(scaled(example, [target]), { FR: 2000, DE: 600, unknown: 20 }));
if (floor === undefined) throw new Error('no floor');

const hpa = (min: number, max = 500): Observed => ({ state: 'read', ready: min, autoscaler: { min, max } });
const now: Release = { wanted: true, doubts: [] };
const planned = (observed: Observed | undefined, release = now) =>
  holdPlan([floor], new Map(observed === undefined ? [] : [[floor.target, observed]]), release);

test('a floor rises at once and whole, with whatever doubts', () => {
  const release = { wanted: false, doubts: ['stale'] };
  expect(planned(hpa(3), release).changes).toMatchObject([{ namespace: 'video', name: 'web', from: 3, to: 59 }]);
});

test('a floor falls a tenth at a time, never below what is needed', () => {
  expect(planned(hpa(100)).changes).toMatchObject([{ from: 100, to: 90 }]);
  expect(planned(hpa(62)).changes).toMatchObject([{ from: 62, to: 59 }]);
  expect(planned(hpa(59))).toEqual({ changes: [], kept: [], refused: [] });
});

test('a floor stays where nobody wants it to fall, or something speaks against it', () => {
  expect(planned(hpa(100), { wanted: false, doubts: [] })).toMatchObject({ changes: [], kept: [{ why: /--release/ }] });
  expect(planned(hpa(100), { wanted: true, doubts: ['paris is drained'] })).toMatchObject({
    changes: [],
    kept: [{ why: '100 replicas stay: paris is drained' }],
  });
});

test.each([
  ['a cluster that is not read', undefined, 'has no kubeconfig'],
  ['a cluster that does not answer', { state: 'unread', why: 'no route to host' } as const, 'no route to host'],
  ['a Deployment', { state: 'read', ready: 3 } as const, 'name the HorizontalPodAutoscaler'],
])('%s is refused', (_, observed, why) => {
  const { changes, refused } = planned(observed);
  expect(changes).toEqual([]);
  expect(refused).toMatchObject([{ why: expect.stringContaining(why) as string }]);
});

test('an autoscaler that stops below the floor is raised as far as it goes, and said', () => {
  expect(planned(hpa(3, 40))).toMatchObject({
    changes: [{ from: 3, to: 40 }],
    refused: [{ why: 'its floor is 59, and its autoscaler stops at 40: raise maxReplicas' }],
  });
});

function doubts(
  platform: Platform,
  observed: Observed,
  atMs = nowMs,
  unheard: readonly string[] = [],
): readonly string[] {
  const world = worldOf(platform, { FR: 2000, DE: 600 }, unheard);
  const arriving = rememberedArriving(world);
  const held = {
    world,
    arriving,
    floors: floorsOf(world, arriving),
    observed: new Map([[floor?.target ?? '', observed]]),
  };
  return releaseDoubts(held, atMs);
}

test('nothing falls while a cluster is down, or nobody knows whether one is', () => {
  const world = worldOf(scaled(example, [target], 6000), { FR: 2000, DE: 600 });
  const of = (health: PresentHealth) => {
    const now = { ...world, health };
    const arriving = rememberedArriving(now);
    const observed = new Map([[floor.target, hpa(100)]]);
    return releaseDoubts({ world: now, arriving, floors: floorsOf(now, arriving), observed }, nowMs);
  };
  expect(of({ down: new Set(['paris']) })).toEqual(['paris answers no health check']);
  expect(of({ down: new Set(), unknown: 'nobody answers' })).toEqual(['nobody answers']);
});

test('nothing falls on old figures, while something is drained, too small or silent', () => {
  const platform = scaled(example, [target], 6000);
  const spec = { target: { kind: 'Cluster', name: 'paris' }, expires: '2026-11-28T13:00:00Z', reason: 'works' };
  const drain = Drain.parse({ apiVersion, kind: 'Drain', metadata: { name: 'works' }, spec });
  const drained = { ...platform, drains: new Map([['works', drain]]) };
  expect(doubts(platform, hpa(100))).toEqual([]);
  expect(doubts(platform, hpa(100), nowMs + 3_600_000)).toEqual([
    'the demand was measured 60 min ago, and 15 are the most',
  ]);
  expect(doubts(drained, hpa(100))).toEqual(['paris is drained']);
  expect(doubts(platform, hpa(1))).toEqual([
    'web-cloud-europe needs 18 replicas now and has 1: the others come after 120 s',
  ]);
  expect(doubts(platform, hpa(100), nowMs, ['no blade of paris told what it measured'])).toEqual([
    'no blade of paris told what it measured',
  ]);
  expect(doubts(platform, { state: 'unread', why: 'silent' })).toEqual(['web-cloud-europe cannot be read']);
});
