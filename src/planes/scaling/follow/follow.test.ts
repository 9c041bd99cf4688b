import fc from 'fast-check';
import { expect, it } from 'vitest';
import { targetIn } from '../../../../test/support/scaling/world.ts';
import type { Floor } from '../compile/floors.ts';
import type { Step } from '../forecast/history.ts';
import { earlierText, knownRates, withKnown } from './demand-kept.ts';
import { type KeptFloor, keptFloors } from './floors-kept.ts';
import { type OpenStep, withLook } from './steps.ts';

const minute = 60_000;
const { spec } = targetIn('cloud-europe', { replicas: { min: 2, max: 100 } });
const need = { failure: 'nothing', callsPerSecond: 0, replicas: 0, from: [] };
const floor = (replicas: number, changed: Partial<Floor> = {}): Floor => ({
  target: 'web',
  spec,
  replicas,
  now: need,
  needs: [],
  missing: 0,
  ...changed,
});
const kept = (replicas: number, changedAtMs = 0): ReadonlyMap<string, KeptFloor> =>
  new Map([['web', { replicas, changedAtMs }]]);
const none = new Map<string, number>();
const told = (
  before: ReadonlyMap<string, KeptFloor>,
  replicas: number,
  nowMs: number,
  doubts: readonly string[] = [],
) => keptFloors(before, [floor(replicas)], { nowMs, doubts, ready: none }).get('web')?.replicas;

it('rises at once, whatever is doubted, and falls a tenth in five minutes', () => {
  expect(told(kept(10), 60, 1, ['stale'])).toBe(60);
  expect(told(kept(60), 10, 4 * minute)).toBe(60);
  expect(told(kept(60), 10, 5 * minute)).toBe(54);
  expect(told(kept(60), 58, 5 * minute)).toBe(58);
  expect(told(kept(60), 10, 60 * minute, ['paris answers no health check'])).toBe(60);
});

it('obeys who lowers what a target may have, and forgets a target that is gone', () => {
  const lower = floor(10, { spec: { ...spec, replicas: { min: 2, max: 30 } } });
  expect(keptFloors(kept(60), [lower], { nowMs: 1, doubts: ['stale'], ready: none }).get('web')?.replicas).toBe(30);
  expect(keptFloors(kept(60), [], { nowMs: 1, doubts: [], ready: none }).size).toBe(0);
});

it('is never less than what is needed, and never more than before or needed, whatever comes', () => {
  const step = fc.record({
    replicas: fc.integer({ min: 2, max: 100 }),
    wait: fc.integer({ min: 0, max: 600_000 }),
    doubted: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      let now: ReadonlyMap<string, KeptFloor> = new Map();
      let nowMs = 0;
      for (const { replicas, wait, doubted } of steps) {
        nowMs += wait;
        const before = now.get('web')?.replicas ?? 0;
        now = keptFloors(now, [floor(replicas)], { nowMs, doubts: doubted ? ['x'] : [], ready: none });
        const after = now.get('web')?.replicas ?? 0;
        expect(after).toBeGreaterThanOrEqual(replicas);
        expect(after).toBeLessThanOrEqual(Math.max(before, replicas));
        if (doubted) expect(after).toBeGreaterThanOrEqual(before);
        expect(after).toBeGreaterThanOrEqual(Math.floor(before * 0.9));
      }
    }),
  );
});

it('tells who was told nothing yet to keep what is Ready, while something is doubted', () => {
  const first = (doubts: readonly string[]) =>
    keptFloors(new Map(), [floor(2)], { nowMs: 1, doubts, ready: new Map([['web', 24]]) }).get('web')?.replicas;
  expect([first(['paris answers no health check']), first([])]).toEqual([24, 2]);
});

it('does not wait for a clock that was ahead', () => {
  expect(told(kept(60, 3_600_000), 10, 10 * minute)).toBe(54);
});

const measured = (requestsPerSecond: Readonly<Record<string, number>>, measuredAtMs = minute) => ({
  rates: { measuredAtMs, requestsPerSecond },
});
const whole = (nowMs: number) => ({ nowMs, isPartial: () => false });
const before = knownRates(new Map(), measured({ FR: 900, DE: 100, IS: 1 }), whole(minute)).rates;
const rateIn = (rates: ReturnType<typeof knownRates>['rates'], country: string) =>
  rates.get(country)?.requestsPerSecond;

it('goes on counting the users of a data centre that is lost, and says since when', () => {
  const rest = measured({ DE: 120 }, 2 * minute);
  const { rates } = knownRates(before, rest, whole(2 * minute));
  const all = withKnown(
    { ...rest, unknownPerSecond: 0, silent: [], unmeasured: [], shares: new Map(), margin: 0 },
    rates,
  );
  expect(all.rates.requestsPerSecond).toEqual({ FR: 900, DE: 120, IS: 1 });
  expect(earlierText(rates, rest)).toBe('FR, IS: as measured before, the oldest at 1970-01-01T00:01:00.000Z');
  expect(knownRates(rates, rest, whole(8 * 24 * 60 * minute)).rates.has('FR')).toBe(false);
});

it('does not believe less of a country that was not counted whole, and more of it', () => {
  const isPartial = (country: string) => country === 'FR';
  const at = (FR: number) => rateIn(knownRates(before, measured({ FR }), { nowMs: 2 * minute, isPartial }).rates, 'FR');
  expect([at(450), at(0), at(1000)]).toEqual([900, 900, 1000]);
});

it('believes after an hour what falls suddenly, and at once what falls slowly or matters little', () => {
  const later = (requestsPerSecond: Readonly<Record<string, number>>, nowMs: number) =>
    knownRates(before, measured(requestsPerSecond, nowMs), whole(nowMs));
  const sudden = later({ FR: 0, DE: 60, IS: 0 }, 10 * minute);
  expect(sudden.sudden).toEqual(['FR']);
  expect(['FR', 'DE', 'IS'].map((one) => rateIn(sudden.rates, one))).toEqual([900, 60, 0]);
  expect(rateIn(later({ FR: 0 }, 62 * minute).rates, 'FR')).toBe(0);
});

const look = (FR: number | undefined, silent: readonly string[] = []) => ({
  rates: { measuredAtMs: 0, requestsPerSecond: { DE: 10, ...(FR === undefined ? {} : { FR }) } },
  unknownPerSecond: 1,
  silent,
});

/** The steps that looks every minute make. */
function stepsOf(looks: readonly ReturnType<typeof look>[]): readonly Step[] {
  let open: OpenStep | undefined;
  return looks.flatMap((one, at) => {
    const next = withLook(open, one, at * minute);
    ({ open } = next);
    return next.ended === undefined ? [] : [next.ended];
  });
}

it('keeps means of five minutes, of places that every look measured', () => {
  const looks = [10, 20, 30, 40, 50, 7].map((rate) => look(rate));
  expect(stepsOf(looks)).toEqual([{ atMs: 5 * minute, requestsPerSecond: { DE: 10, FR: 30 }, unknownPerSecond: 1 }]);
  const gone = [look(10), look(undefined), look(30), look(40), look(50), look(7)];
  expect(stepsOf(gone)).toMatchObject([{ requestsPerSecond: { DE: 10 } }]);
  expect(stepsOf(gone)[0]?.requestsPerSecond).not.toHaveProperty('FR');
});

it('keeps no step in which a blade was silent, or that few looked at', () => {
  const silent = [look(10), look(10, ['paris-blade-1']), look(10), look(10), look(10), look(10)];
  expect(stepsOf(silent)).toEqual([]);
  const late = withLook(undefined, look(10), 4 * minute);
  expect(withLook(late.open, look(10), 5 * minute)).not.toHaveProperty('ended');
});
