import { describe, expect, test } from 'vitest';
import { drain, twoSites } from '../../../test/support/platform.ts';
import type { Drain } from '../spec/kinds.ts';
import { drainOfBlade, drainOfWorker, drainsOfCluster, isInForce, type WorkerDrain } from './drains.ts';

const nowMs = Date.parse('2026-06-01T00:00:00Z');
const later = '2027-01-01T00:00:00Z';
const before = '2026-05-31T23:59:59Z';
const north = drain('Site', 'north', later);
const south = drain('Site', 'south', later);
const whole = drain('Cluster', 'two-sites', later);

test.each([
  [later, true],
  ['2026-06-01T00:00:00.001Z', true],
  ['2026-06-01T00:00:00Z', false],
  [before, false],
])('a drain that expires at %s: in force %s', (expires, inForce) => {
  expect(isInForce(drain('Site', 'north', expires), nowMs)).toBe(inForce);
});

describe('a cluster is drained by itself, or with all of its sites', () => {
  test.each<[string, readonly Drain[], readonly string[]]>([
    ['nothing', [], []],
    ['itself', [whole], ['cluster-two-sites']],
    ['itself, at the moment it ends', [drain('Cluster', 'two-sites', '2026-06-01T00:00:00Z')], []],
    ['another cluster', [drain('Cluster', 'cloud', later)], []],
    ['one of two sites', [north], []],
    ['both sites, sorted by name', [south, north], ['site-north', 'site-south']],
    ['both sites, one of them until a time that has passed', [north, drain('Site', 'south', before)], []],
    ['itself, then its sites', [south, north, whole], ['cluster-two-sites', 'site-north', 'site-south']],
    ['a blade and a worker', [drain('Blade', 'a', later), drain('Worker', 'w', later)], []],
  ])('%s', (_, drains, names) => {
    const found = drainsOfCluster(twoSites(...drains), 'two-sites', nowMs);
    expect(found.map(({ metadata }) => metadata.name)).toEqual(names);
  });

  test('a cluster that does not exist has none', () => {
    expect(drainsOfCluster(twoSites(north, south), 'nowhere', nowMs)).toEqual([]);
  });
});

describe('a blade is drained by itself, its site or its cluster', () => {
  test.each<[string, readonly Drain[], string | undefined]>([
    ['nothing', [], undefined],
    ['itself', [drain('Blade', 'a', later)], 'blade-a'],
    ['itself, until a time that has passed', [drain('Blade', 'a', before)], undefined],
    ['another blade', [drain('Blade', 'b', later)], undefined],
    ['its site', [north], 'site-north'],
    ['the other site of its cluster', [south], undefined],
    ['its cluster', [whole], 'cluster-two-sites'],
    ['its site before its cluster', [whole, north], 'site-north'],
    ['itself before its site', [north, drain('Blade', 'a', later)], 'blade-a'],
    ['a worker of the same name', [drain('Worker', 'a', later)], undefined],
  ])('%s', (_, drains, name) => {
    const platform = twoSites(...drains);
    const [pool] = platform.edgePools.values();
    if (pool === undefined) throw new Error('the platform has a pool');
    expect(drainOfBlade(platform, pool, 'a', nowMs)?.metadata.name).toBe(name);
    expect(drainOfBlade(platform, pool, 'a', Date.parse(later))).toBeUndefined();
  });
});

test.each<[string, readonly Drain[], WorkerDrain]>([
  ['nothing', [], 'no'],
  ['itself', [drain('Worker', 'w', later)], 'when empty'],
  ['itself, until a time that has passed', [drain('Worker', 'w', before)], 'no'],
  ['another worker', [drain('Worker', 'v', later)], 'no'],
  ['its site and its cluster', [north, south, whole], 'no'],
  ['a blade of the same name', [drain('Blade', 'w', later)], 'no'],
])('a worker is drained by itself only: %s', (_, drains, drained) => {
  expect(drainOfWorker(drains, 'w', nowMs)).toBe(drained);
});
