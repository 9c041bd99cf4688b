import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backtest } from '../../../../test/support/scaling/backtest.ts';
import { trafficSteps } from '../../../../test/support/scaling/traffic.ts';
import { type Forecast, forecast, type PlaceForecast } from './forecast.ts';
import { type Step, stepMs, stepsPerDay } from './history.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** A Monday. */
const fromMs = Date.UTC(2026, 0, 5);
const history = trafficSteps({ fromMs, days: 15, seed: 7, crowds: 0, countries: ['FR', 'LU', 'US'] });
const nowMs = fromMs + 15 * dayMs;

function made(steps: readonly Step[], changed: { aheadMs?: number; quantile?: number; nowMs?: number } = {}): Forecast {
  const now = changed.nowMs ?? nowMs;
  const question = {
    atMs: now + (changed.aheadMs ?? 15 * 60_000),
    nowMs: now,
    quantile: changed.quantile ?? 0.975,
    fallbackMargin: 0.2,
  };
  const result = forecast(steps, question);
  if (result === undefined) throw new Error('no step');
  return result;
}

function placeOf({ places }: Forecast, place: string): PlaceForecast {
  const found = places.find((one) => one.place === place);
  if (found === undefined) throw new Error(`no ${place}`);
  return found;
}

const rateOf = (result: Forecast, place: string): number => placeOf(result, place).requestsPerSecond;

/** The steps with those of some time changed; hours count from the beginning of the history. */
function changed(
  steps: readonly Step[],
  [fromHour, toHour]: readonly [number, number],
  change: (rate: number) => number,
): readonly Step[] {
  return steps.map((step) => {
    const hour = (step.atMs - fromMs) / hourMs;
    if (hour <= fromHour || hour > toHour) return step;
    const rates = Object.entries(step.requestsPerSecond).map(([place, rate]) => [place, change(rate)] as const);
    return { ...step, requestsPerSecond: Object.fromEntries(rates) };
  });
}

const day = (number: number): number => 24 * number;
const none = (): number => 0;

describe('a history with something odd in it forecasts what it forecasts without', () => {
  const evening = { aheadMs: 19.5 * hourMs };
  const before = rateOf(made(history, evening), 'FR');

  test.each([
    ['an hour of ten times as many', [day(13) + 19, day(13) + 20], (rate: number) => rate * 10],
    [
      'a crowd of three hours in the same evening of the week before',
      [day(8) + 18, day(8) + 21],
      (rate: number) => rate * 5,
    ],
    ['an hour without any count', [day(13) + 19, day(13) + 20], none],
    ['a night of halved counters', [day(10) + 20, day(11) + 6], (rate: number) => rate / 2],
    ['a whole day that counters were broken', [day(9), day(10)], none],
    ['an hour that says a thousand times too much', [day(14) + 10, day(14) + 11], (rate: number) => rate * 1000],
  ] as const)('%s', (_, hours, change) => {
    const after = made(changed(history, hours, change), evening);
    expect(rateOf(after, 'FR') / before).toBeGreaterThan(0.93);
    expect(rateOf(after, 'FR') / before).toBeLessThan(1.07);
    expect(placeOf(after, 'FR').margin).toBeLessThan(0.35);
  });

  test('steps that nobody wrote', () => {
    const gaps = history.filter((_, index) => index % 7 !== 0 && Math.floor(index / 12) % 30 !== 5);
    expect(rateOf(made(gaps, evening), 'FR') / before).toBeCloseTo(1, 1);
  });

  test('steps of next year, of a clock that was wrong', () => {
    const odd = { atMs: nowMs + 365 * dayMs, requestsPerSecond: { FR: 1 } };
    expect(made([odd, ...history], evening).places).toEqual(made(history, evening).places);
  });
});

describe('what is measured just now', () => {
  const last = [day(15) - 0.5, day(15)] as const;

  test('is followed while it is within what is usual', () => {
    const up = made(changed(history, last, (rate) => rate * 1.15));
    expect(rateOf(up, 'FR') / rateOf(made(history), 'FR')).toBeGreaterThan(1.05);
  });

  test.each([
    ['halved', (rate: number) => rate / 2, 'low'],
    ['gone', none, 'silent'],
  ] as const)('is not believed when it is %s', (_, change, standing) => {
    const after = made(changed(history, last, change));
    expect(placeOf(after, 'FR').standing).toBe(standing);
    expect(rateOf(after, 'FR') / rateOf(made(history), 'FR')).toBeGreaterThan(0.9);
  });

  test('is believed at once when it is three times as much, and not for the day after', () => {
    const crowd = changed(history, last, (rate) => rate * 3);
    expect(placeOf(made(crowd), 'FR').standing).toBe('high');
    expect(rateOf(made(crowd), 'FR') / rateOf(made(history), 'FR')).toBeGreaterThan(2.5);
    const tomorrow = { aheadMs: dayMs };
    expect(rateOf(made(crowd, tomorrow), 'FR') / rateOf(made(history, tomorrow), 'FR')).toBeLessThan(1.3);
  });
});

describe('a history that is too short', () => {
  test('of nothing is none', () => {
    expect(forecast([], { atMs: nowMs, nowMs, quantile: 0.975, fallbackMargin: 0.2 })).toBeUndefined();
  });

  test('of an hour says what was measured, with the margin that was given', () => {
    const hour = history.slice(-12).map((step) => ({ ...step, requestsPerSecond: { FR: 100 } }));
    expect(made(hour).places).toMatchObject([{ place: 'FR', requestsPerSecond: 100, margin: 0.2, isShort: true }]);
  });

  test('of a day says, for another hour, the most that was measured', () => {
    const oneDay = history.slice(-stepsPerDay);
    const most = Math.max(...oneDay.map(({ requestsPerSecond }) => requestsPerSecond['FR'] ?? 0));
    expect(rateOf(made(oneDay, { aheadMs: 9 * hourMs }), 'FR') / most).toBeCloseTo(1, 1);
  });

  test('of four days has a season, and at least the margin that was given', () => {
    const result = placeOf(made(history.slice(-4 * stepsPerDay)), 'FR');
    expect(result).toMatchObject({ isShort: true, margin: 0.2 });
    expect(result.requestsPerSecond / rateOf(made(history), 'FR')).toBeCloseTo(1, 1);
  });

  test('of fifteen days has margins of its own for six days ahead', () => {
    expect(placeOf(made(history, { aheadMs: 6 * dayMs }), 'FR').isShort).toBe(false);
    expect(placeOf(made(history, { aheadMs: 9 * dayMs }), 'FR').isShort).toBe(true);
  });
});

describe('clocks that are changed', () => {
  /** The same every day by local clocks: most at 20:30. */
  const peaks = (start: number, days: number): readonly Step[] =>
    Array.from({ length: days * stepsPerDay }, (_, index) => {
      const atMs = start + (index + 1) * stepMs;
      const parts = new Intl.DateTimeFormat('en', {
        timeZone: 'Europe/Paris',
        hour: 'numeric',
        minute: 'numeric',
        hourCycle: 'h23',
      }).format(atMs);
      const [hour = 0, minute = 0] = parts.split(':').map(Number);
      const apart = Math.abs(hour + minute / 60 - 20.5);
      return { atMs, requestsPerSecond: { FR: 100 + 100 * Math.exp(-(apart ** 2) / 8) } };
    });

  test.each([
    ['forward', Date.UTC(2026, 2, 14), Date.UTC(2026, 2, 29, 18, 30)],
    ['back', Date.UTC(2026, 9, 10), Date.UTC(2026, 9, 25, 19, 30)],
  ])('%s: the evening has its peak by the new time', (_, start, atMs) => {
    const steps = peaks(start, 15);
    const now = start + 15 * dayMs;
    const at = (offset: number): number => rateOf(made(steps, { nowMs: now, aheadMs: atMs + offset - now }), 'FR');
    expect(at(0)).toBeCloseTo(200, -1);
    expect(at(0)).toBeGreaterThan(at(-hourMs));
    expect(at(0)).toBeGreaterThan(at(hourMs));
  });
});

describe('whatever was measured', () => {
  const rates = fc.array(fc.option(fc.float({ min: 0, max: 1e6, noNaN: true }), { nil: undefined, freq: 8 }), {
    minLength: 40,
    maxLength: 40,
  });
  /** Ten days, each hour of which has the rate of a random one, or none. */
  const stepsOf = (hours: readonly (number | undefined)[]): readonly Step[] =>
    Array.from({ length: 10 * stepsPerDay }, (_, index) => {
      const rate = hours[(Math.floor(index / 12) * 7) % hours.length];
      return { atMs: fromMs + (index + 1) * stepMs, requestsPerSecond: rate === undefined ? {} : { JP: rate } };
    });
  const end = fromMs + 10 * dayMs;

  test('nothing is negative or no number, and the same history says the same', () => {
    fc.assert(
      fc.property(rates, fc.integer({ min: 0, max: 72 * 12 }), (hours, ahead) => {
        const steps = stepsOf(hours);
        const result = forecast(steps, {
          atMs: end + ahead * stepMs,
          nowMs: end,
          quantile: 0.975,
          fallbackMargin: 0.2,
        });
        for (const { requestsPerSecond, margin } of result?.places ?? []) {
          expect(requestsPerSecond).toBeGreaterThanOrEqual(0);
          expect(Number.isFinite(requestsPerSecond)).toBe(true);
          expect(margin).toBeGreaterThanOrEqual(0.02);
        }
        expect(
          forecast(steps.toReversed(), {
            atMs: end + ahead * stepMs,
            nowMs: end,
            quantile: 0.975,
            fallbackMargin: 0.2,
          }),
        ).toEqual(result);
      }),
      { numRuns: 12 },
    );
  });

  test('so many times as much is forecast as so many times as much was measured', () => {
    fc.assert(
      fc.property(fc.constantFrom(0.001, 0.5, 3, 1000), fc.integer({ min: 1, max: 72 }), (times, hours) => {
        const more = changed(history, [-1, Infinity], (rate) => rate * times);
        const [before, after] = [made(history, { aheadMs: hours * hourMs }), made(more, { aheadMs: hours * hourMs })];
        for (const { place, requestsPerSecond, margin } of before.places) {
          expect(rateOf(after, place) / (requestsPerSecond * times)).toBeCloseTo(1, 6);
          expect(placeOf(after, place).margin).toBeCloseTo(margin, 6);
        }
      }),
      { numRuns: 4 },
    );
  });

  test('a history some weeks later says the same of some weeks later, where clocks are not changed', () => {
    const later = 3 * 7 * dayMs;
    const moved = history.map((step) => ({ ...step, atMs: step.atMs + later }));
    expect(
      made(moved, { nowMs: nowMs + later, aheadMs: 5 * hourMs }).places.map(({ requestsPerSecond }) =>
        Math.round(requestsPerSecond * 1e6),
      ),
    ).toEqual(
      made(history, { aheadMs: 5 * hourMs }).places.map(({ requestsPerSecond }) => Math.round(requestsPerSecond * 1e6)),
    );
  });

  test('a greater share of past errors needs no smaller margin', () => {
    const quantiles = [0.5, 0.8, 0.9, 0.95, 0.975, 0.99, 1];
    const margins = quantiles.map((quantile) => placeOf(made(history, { quantile }), 'FR').margin);
    expect(margins.toSorted((a, b) => a - b)).toEqual(margins);
  });
});

describe('over a made-up year', () => {
  const year = trafficSteps({ fromMs: Date.UTC(2026, 0, 1), days: 365, seed: 3, countries: ['FR', 'LU', 'US'] });

  test.each([
    ['a quarter of an hour', 3, 0.95],
    ['six hours', 72, 0.95],
    ['two days', 2 * stepsPerDay, 0.93],
  ])(
    'margins of forecasts for %s ahead hold what they say, and errors are smaller than those of yesterday',
    (_, horizonSteps, least) => {
      const { covered, error, errorOfYesterday } = backtest(year, {
        horizonSteps,
        days: 15,
        everySteps: 13 * stepsPerDay + 133,
      });
      expect(covered).toBeGreaterThanOrEqual(least);
      expect(error).toBeLessThan(errorOfYesterday);
    },
  );
});
