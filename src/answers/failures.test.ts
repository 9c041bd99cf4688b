import { expect, test } from 'vitest';
import { failureSets } from './failures.ts';

const names = (count: number) => Array.from({ length: count }, (_, index) => `c${index}`);

test('of up to eight clusters: every set', () => {
  expect(failureSets(['a', 'b']).map((set) => [...set])).toEqual([[], ['a'], ['b'], ['a', 'b']]);
  expect(failureSets(names(8))).toHaveLength(256);
});

test('of more clusters: none, each one, each pair, all but one, and all', () => {
  const sets = failureSets(names(20));
  expect(sets).toHaveLength(1 + 20 + 190 + 20 + 1);
  expect(new Set(sets.map(({ size }) => size))).toEqual(new Set([0, 1, 2, 19, 20]));
  expect(sets.at(-1)?.size).toBe(20);
});
