import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Drained, type HealthOfBackend, nextDrained } from './drain.ts';
import { afterCheck, type EndpointHealth, unseen } from './probes.ts';
import { Rate } from './rate.ts';
import { Turns } from './turns.ts';

describe('an endpoint', () => {
  const thresholds = { healthy: 2, unhealthy: 3 };
  const after = (checks: string): boolean =>
    checks.split('').reduce<EndpointHealth>((health, check) => afterCheck(health, check === '+', thresholds), unseen)
      .healthy;

  it.each([
    ['', false],
    ['+', false],
    ['++', true],
    ['+-+', false],
    ['++--', true],
    ['++---', false],
    ['++--+--', true],
    ['++---+', false],
    ['++---++', true],
  ])('after the checks %j is healthy: %s', (checks, healthy) => {
    expect(after(checks)).toBe(healthy);
  });
});

describe('auto-capacity draining', () => {
  const health = (backend: string, healthy: number, endpoints = 20): HealthOfBackend => ({
    backend,
    healthy,
    endpoints,
  });
  const others = [health('b', 20), health('c', 20)];
  const step = (before: Drained, one: HealthOfBackend, nowMs: number): Drained =>
    nextDrained(before, [one, ...others], { nowMs, steadyMs: 60_000 });

  it('drains below 25 %, and undrains when 35 % were healthy for a minute', () => {
    expect(step(new Map(), health('a', 5), 0).has('a')).toBe(false);
    let drained = step(new Map(), health('a', 4), 0);
    expect([...drained.keys()]).toEqual(['a']);
    drained = step(drained, health('a', 6), 100_000);
    expect(drained.has('a')).toBe(true);
    drained = step(drained, health('a', 7), 200_000);
    drained = step(drained, health('a', 7), 259_999);
    expect(drained.has('a')).toBe(true);
    expect(step(drained, health('a', 7), 260_000).has('a')).toBe(false);
    const relapsed = step(step(drained, health('a', 6), 259_999), health('a', 7), 260_000);
    expect(relapsed.has('a')).toBe(true);
  });

  it('drains at most half of the backends, the worst first, and keeps those that are drained', () => {
    const three = [health('a', 4), health('b', 1), health('c', 3)];
    const time = { nowMs: 0, steadyMs: 60_000 };
    expect([...nextDrained(new Map(), three, time).keys()]).toEqual(['b']);
    expect([...nextDrained(new Map([['a', {}]]), three, time).keys()]).toEqual(['a']);
    expect(nextDrained(new Map(), [health('a', 0)], time).size).toBe(0);
  });
});

describe('turns', () => {
  it('keep to the weights within one turn, at any moment', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 5 }), (weights) => {
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const map = new Map(weights.map((weight, index) => [String(index), weight]));
        const turns = new Turns();
        const counts = weights.map(() => 0);
        for (let turn = 1; turn <= 60; turn += 1) {
          const next = turns.next(map);
          if (total === 0) {
            expect(next).toBeUndefined();
            continue;
          }
          counts[Number(next)] = (counts[Number(next)] ?? 0) + 1;
          for (const [index, weight] of weights.entries())
            expect((counts[index] ?? 0) - (turn * weight) / total).toBeLessThanOrEqual(1 + 1e-6);
        }
        for (const [index, weight] of weights.entries()) if (weight === 0) expect(counts[index]).toBe(0);
      }),
    );
  });
});

it('a rate forgets what is older than its window', () => {
  const rate = new Rate(2000, 0);
  for (let ms = 0; ms < 4000; ms += 10) rate.count(ms);
  expect(rate.perSecond(3999)).toBeGreaterThan(95);
  expect(rate.perSecond(3999)).toBeLessThan(105);
  expect(rate.perSecond(7000)).toBe(0);
  const young = new Rate(2000, 0);
  for (let ms = 0; ms < 500; ms += 10) young.count(ms);
  expect(young.perSecond(500)).toBeCloseTo(100, 6);
});
