import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs } from './backoff.ts';

const options = { firstMs: 100, ceilingMs: 1000 };

describe('backoffMs', () => {
  it('doubles from the first wait to the ceiling, and stays there', () => {
    expect([1, 2, 3, 4, 5, 6, 5000].map((failures) => backoffMs(failures, options))).toEqual([
      100, 200, 400, 800, 1000, 1000, 1000,
    ]);
  });

  it('waits equally long when the first wait is the ceiling, and not at all when it is 0', () => {
    expect([1, 2, 9].map((failures) => backoffMs(failures, { firstMs: 1000, ceilingMs: 1000 }))).toEqual([
      1000, 1000, 1000,
    ]);
    expect(backoffMs(5000, { firstMs: 0, ceilingMs: 1000 })).toBe(0);
  });

  it('is moved by chance between the two factors: the number worked out in the contract', () => {
    const half = { ...options, jitter: [0.5, 1] } as const;
    expect(backoffMs(4, half, { random: () => 0 })).toBe(400);
    expect(backoffMs(4, half, { random: () => 0.5 })).toBe(600);
    expect(backoffMs(4, half)).toBe(800);
    expect(backoffMs(5, half, { random: () => 0 })).toBe(500);
    expect(backoffMs(5, half, { random: () => 0, retryAfterMs: 2000 })).toBe(2000);
    expect(backoffMs(1, { ...options, jitter: [1, 1.2] }, { random: () => 0.5 })).toBe(110);
  });

  it('obeys what the other side asked for, up to the longest, spread by chance', () => {
    const patient = { ...options, longestAskedMs: 300_000, askedSpread: 0.25 };
    expect(backoffMs(1, options, { retryAfterMs: 5000 })).toBe(5000);
    expect(backoffMs(1, options, { retryAfterMs: 5 })).toBe(100);
    expect(backoffMs(1, patient, { retryAfterMs: 4000, random: () => 0 })).toBe(4000);
    expect(backoffMs(1, patient, { retryAfterMs: 4000, random: () => 0.5 })).toBe(4500);
    expect(backoffMs(1, patient, { retryAfterMs: 86_400_000, random: () => 0 })).toBe(300_000);
  });

  it('is a whole number of ms, never more than the ceiling, never less than what was asked for', () => {
    const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), chance, fc.option(fc.nat(10_000)), (failures, random, asked) => {
        const retryAfterMs = asked ?? undefined;
        const moment = { random: () => random, retryAfterMs };
        const ms = backoffMs(failures, { ...options, jitter: [0, 1] }, moment);
        expect(Number.isInteger(ms)).toBe(true);
        expect(ms).toBeGreaterThanOrEqual(asked ?? 0);
        expect(ms).toBeLessThanOrEqual(Math.max(1000, asked ?? 0));
      }),
    );
  });
});
