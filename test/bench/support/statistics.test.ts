import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { median, medianInterval, pairedRatio, percentile } from './statistics.ts';

const numbers = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 50 });

describe('median', () => {
  it.each([
    [[7], 7],
    [[3, 1, 2], 2],
    [[10, 2, 9, 1], 5.5],
    [[-1, -1, 5], -1],
  ])('of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  it('refuses nothing', () => {
    expect(() => median([])).toThrow(RangeError);
  });
});

describe('percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  it.each([
    [0, 1],
    [0.5, 50],
    [0.99, 99],
    [1, 100],
  ])('%d of 1 to 100 is %d', (share, expected) => {
    expect(percentile(hundred, share)).toBe(expected);
  });

  it('is one of the values, and that share of them does not exceed it', () => {
    fc.assert(
      fc.property(numbers, fc.double({ min: 0, max: 1, noNaN: true }), (values, share) => {
        const found = percentile(values, share);
        expect(values).toContain(found);
        expect(values.filter((value) => value <= found).length).toBeGreaterThanOrEqual(share * values.length);
      }),
    );
  });

  it('refuses nothing', () => {
    expect(() => percentile([], 0.5)).toThrow(RangeError);
  });
});

describe('medianInterval', () => {
  it('of 1 to 100 lies ten places on either side of the middle', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
    expect(medianInterval(hundred)).toEqual([41, 61]);
  });

  it('holds the median of its values', () => {
    fc.assert(
      fc.property(numbers, (values) => {
        const [low, high] = medianInterval(values);
        expect(low).toBeLessThanOrEqual(median(values));
        expect(high).toBeGreaterThanOrEqual(median(values));
      }),
    );
  });

  it('refuses nothing', () => {
    expect(() => medianInterval([])).toThrow(RangeError);
  });
});

describe('pairedRatio', () => {
  it('compares each run with the one beside it', () => {
    expect(pairedRatio([2, 40, 6], [2, 20, 4])).toBe(1.5);
  });

  it('does not see a load that both runs of a pair had', () => {
    expect(pairedRatio([11, 110, 1100], [10, 100, 1000])).toBeCloseTo(1.1);
  });

  it('refuses runs without a peer', () => {
    expect(() => pairedRatio([1, 2], [1])).toThrow(RangeError);
  });
});
