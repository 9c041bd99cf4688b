import fc from 'fast-check';
import { expect, test } from 'vitest';
import { agreed, median, upperQuantile } from './medians.ts';

test.each([
  [[3, 1, 2], 2],
  [[4, 1, 2, 3], 2.5],
  [[Number.NaN, 5, Number.NaN], 5],
  [[], Number.NaN],
  [[Number.NaN], Number.NaN],
])('the median of %j is %d', (values, expected) => {
  expect(median(values)).toBe(expected);
});

test('a median is the same for few and for many values, in any order', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.integer(), fc.constant(Number.NaN)), { maxLength: 100 }), (values) => {
      const sorted = values.filter((value) => !Number.isNaN(value)).toSorted((a, b) => a - b);
      const middle = (sorted[(sorted.length - 1) >> 1] ?? Number.NaN) + (sorted[sorted.length >> 1] ?? Number.NaN);
      expect(median(values)).toBe(middle / 2);
    }),
  );
});

test.each([
  [1, 5],
  [0.975, 5],
  [0.5, 3],
  [0, 1],
])('of one to five the quantile %d is %d', (quantile, expected) => {
  expect(upperQuantile([5, 3, 1, 2, 4], quantile)).toBe(expected);
});

test.each([
  ['nobody', [], 1],
  ['one day, half believed', [1.44], 1.2],
  ['two that say the same', [1.2, 1.2], 1.2],
  ['two that differ', [1.1, 3], 1.1],
  ['two that contradict each other', [0.5, 2], 1],
  ['three, one of them odd', [1.1, 1.2, 9], 1.2],
  ['one that asked nothing', [0, 1.21, 1.21], 1.21],
])('of %s: %j', (_, factors, expected) => {
  expect(agreed(factors)).toBeCloseTo(expected, 6);
});
