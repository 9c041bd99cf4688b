import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Next, nextRate, type Trial } from './search.ts';

const bounds = { p95Ms: 200, failures: 0.01 };

/** A replica that serves up to a rate, and a machine that sends up to another. */
function found(
  capacity: number,
  { most = 1000, machine = Infinity, first = 10 } = {},
): Next & { readonly tries: number } {
  const trials: Trial[] = [];
  for (let tries = 0; tries < 60; tries++) {
    const next = nextRate(trials, { first, most, bounds });
    if ('best' in next) return { ...next, tries };
    const isOver = next.rate > capacity;
    trials.push({
      rate: next.rate,
      sent: 100,
      failed: isOver ? 10 : 0,
      p95Ms: isOver ? 900 : 20,
      isLate: next.rate > machine,
    });
  }
  throw new Error('it does not end');
}

it.each([
  [137, {}, 137, 'replica'],
  [3, {}, 3, 'replica'],
  [5000, { most: 300 }, 300, 'most'],
  [5000, { machine: 200 }, 200, 'machine'],
  [0, {}, 0, 'nothing'],
] as const)('a replica of %s', (capacity, given, best, why) => {
  const result = found(capacity, given);
  expect(result).toMatchObject({ why });
  expect('best' in result && result.best).toBeGreaterThanOrEqual(best / 1.1);
  expect('best' in result && result.best).toBeLessThanOrEqual(best);
});

it('never says more than a replica serves, and ends soon', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.2, max: 5000, noNaN: true }), (capacity) => {
      const result = found(capacity, { most: 2000 });
      if (!('best' in result)) throw new Error('no result');
      expect(result.best).toBeLessThanOrEqual(capacity);
      expect(result.best).toBeGreaterThanOrEqual(Math.min(capacity, 2000) / 1.2);
      expect(result.tries).toBeLessThan(20);
    }),
  );
});

it('tries again what failed once by chance', () => {
  const ok = (rate: number): Trial => ({ rate, sent: 100, failed: 0, p95Ms: 10, isLate: false });
  const trials = [ok(10), { ...ok(20), failed: 50 }, ok(40)];
  expect(nextRate(trials, { first: 10, most: 1000, bounds })).toEqual({ rate: 80 });
});
