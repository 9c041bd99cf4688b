import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answersFor, formatTiers } from './answers.ts';
import { movedBetween } from './distribution.ts';
import { type Moving, nextStep, type Progress, partsMoved, wholeParts } from './pace.ts';
import { type Tier, tiersBetween } from './tiers.ts';

const tier = (...names: readonly string[]): Tier => names.map((name) => ({ name, weight: 1 }));

describe('nextStep', () => {
  it('moves whole countries in the order of their codes, as many as a step holds', () => {
    const moving = [
      { code: 'GB', share: 0.05 },
      { code: 'BE', share: 0.04 },
      { code: 'FR', share: 0.06 },
    ];
    const first = nextStep({}, moving, 0.1);
    expect(first).toEqual({ upTo: 'FR' });
    expect(nextStep(first ?? {}, moving, 0.1)).toBeUndefined();
  });

  it('moves a country in parts that is larger than a step', () => {
    const moving = [{ code: 'FR', share: 1 }];
    const steps: Progress[] = [];
    for (let at: Progress | undefined = {}; at !== undefined; at = nextStep(at, moving, 0.4)) steps.push(at);
    expect(steps.map((step) => partsMoved(step, 'FR'))).toEqual([0, 102, 204]);
  });

  it('leads users of unknown location last', () => {
    const moving = [
      { code: '', share: 0.1 },
      { code: 'ZW', share: 0.1 },
    ];
    expect(nextStep({}, moving, 0.1)).toEqual({ upTo: 'ZW' });
    expect([partsMoved({ upTo: 'ZW' }, ''), partsMoved({ upTo: '' }, 'ZW')]).toEqual([0, wholeParts]);
  });

  const someMoving = fc
    .uniqueArray(fc.record({ code: fc.constantFrom('', 'AD', 'BE', 'DE', 'FR', 'GB', 'US'), weight: fc.nat(50) }), {
      selector: ({ code }) => code,
    })
    .map((list): readonly Moving[] => {
      const total = list.reduce((sum, { weight }) => sum + weight, 0) || 1;
      return list.map(({ code, weight }) => ({ code, share: weight / total }));
    });

  it('ends, moves nobody back, and never more than the share of a step', () => {
    fc.assert(
      fc.property(someMoving, fc.integer({ min: 1, max: 100 }), (moving, percent) => {
        let at: Progress = {};
        for (let steps = 0; ; steps += 1) {
          expect(steps).toBeLessThan(1000);
          const next = nextStep(at, moving, percent / 100);
          const moved = moving.map(({ code, share }) => {
            const parts = (next === undefined ? wholeParts : partsMoved(next, code)) - partsMoved(at, code);
            expect(parts).toBeGreaterThanOrEqual(0);
            return (share * parts) / wholeParts;
          });
          expect(moved.reduce((sum, share) => sum + share, 0)).toBeLessThanOrEqual(percent / 100 + 1e-6);
          if (next === undefined) return;
          at = next;
        }
      }),
    );
  });
});

describe('tiersBetween', () => {
  it('mixes the first choices by parts, and keeps the order of the end behind them', () => {
    const [from, to] = [
      [tier('cloud'), tier('newyork'), tier('paris')],
      [tier('paris'), tier('cloud'), tier('newyork')],
    ];
    expect(formatTiers(tiersBetween(from, to, 51))).toBe('cloud:204,paris:51 > newyork');
    expect([tiersBetween(from, to, 0), tiersBetween(from, to, wholeParts)]).toEqual([from, to]);
  });

  it('is as far from the start as its parts say, to the weight that DNS can say', () => {
    const someTier = fc
      .uniqueArray(fc.record({ name: fc.constantFrom('a', 'b', 'c'), weight: fc.integer({ min: 1, max: 255 }) }), {
        selector: ({ name }) => name,
        minLength: 1,
      })
      .map((list): readonly Tier[] => [list]);
    fc.assert(
      fc.property(someTier, someTier, fc.integer({ min: 1, max: wholeParts - 1 }), (from, to, parts) => {
        const none = new Set<string>();
        const [old, between, next] = [from, tiersBetween(from, to, parts), to].map((tiers) => answersFor(tiers, none));
        const whole = movedBetween(old ?? new Map(), next ?? new Map());
        const moved = movedBetween(old ?? new Map(), between ?? new Map());
        expect(Math.abs(moved - (whole * parts) / wholeParts)).toBeLessThanOrEqual(3 / wholeParts);
      }),
    );
  });
});
