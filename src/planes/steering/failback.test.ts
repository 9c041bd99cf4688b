import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Hold } from '../../answers/hold.ts';
import { partsMoved, wholeParts } from '../../answers/pace.ts';
import {
  type Count,
  counted,
  expectedSeconds,
  type Failback,
  markEverySeconds,
  nextHold,
  type Sight,
} from './failback.ts';

const rule: Failback = { mode: 'heldDown', holdMinutes: 30, stepShare: 0.25, stepMinutes: 10 };
const fresh: Hold = { cluster: 'paris', sinceMs: 0, by: 'agent', healthySeconds: 0, back: {} };
const moving = [
  { code: 'BE', share: 0.2 },
  { code: 'FR', share: 0.6 },
];

function next(hold: Hold | undefined, sight: Sight, change: Partial<Failback> = {}, count?: Partial<Count>) {
  return nextHold(hold, {
    cluster: 'paris',
    rule: { ...rule, ...change },
    sight,
    count: count === undefined ? undefined : { atMs: 0, was: sight, healthyMs: 0, stepMs: 0, back: {}, ...count },
    by: 'agent',
    nowMs: 5000,
    canHold: () => true,
    moving: () => moving,
  });
}

const minutes = (number: number): number => number * 60_000;

describe('nextHold', () => {
  it.each<[string, Hold | undefined, Sight, Partial<Failback>, Partial<Count> | undefined, unknown]>([
    ['holds what is down', undefined, 'down', {}, undefined, { ...fresh, sinceMs: 5000 }],
    ['holds nothing that fails in part', undefined, 'partly', {}, undefined, undefined],
    ['holds nothing that nobody knows of', undefined, 'unknown', {}, undefined, undefined],
    ['holds nothing by the rule immediate', undefined, 'down', { mode: 'immediate' }, undefined, undefined],
    ['ends what is held by the rule immediate', fresh, 'down', { mode: 'immediate' }, {}, undefined],
    ['writes nothing while it stays down', fresh, 'down', {}, {}, fresh],
    ['waits', fresh, 'healthy', {}, { healthyMs: minutes(5) }, fresh],
    ['notes a quarter', fresh, 'healthy', {}, { healthyMs: minutes(8) }, { ...fresh, healthySeconds: 480 }],
    ['ends', fresh, 'healthy', {}, { healthyMs: minutes(30) }, undefined],
    [
      'never ends by itself what a person ends',
      fresh,
      'healthy',
      { mode: 'byHand' },
      { healthyMs: minutes(99) },
      fresh,
    ],
    [
      'leads back the first ones',
      fresh,
      'healthy',
      { mode: 'gradual' },
      { healthyMs: minutes(30) },
      { ...fresh, healthySeconds: 1800, back: { upTo: 'BE' } },
    ],
    [
      'leads back a part of a large country, one step after the other',
      { ...fresh, healthySeconds: 1800, back: { upTo: 'BE' } },
      'healthy',
      { mode: 'gradual' },
      { healthyMs: minutes(40), stepMs: minutes(10) },
      { ...fresh, healthySeconds: 2400, back: { upTo: 'BE', next: { code: 'FR', parts: 106 } } },
    ],
    [
      'begins anew when it fails in the middle of a return',
      { ...fresh, healthySeconds: 1800, back: { upTo: 'BE' } },
      'down',
      { mode: 'gradual' },
      {},
      fresh,
    ],
    ['forgets the time when some of it fails', { ...fresh, healthySeconds: 900 }, 'partly', {}, {}, fresh],
  ])('%s', (...[, hold, sight, change, count, expected]) => {
    expect(next(hold, sight, change, count)).toEqual(expected);
  });

  it('waits between two steps', () => {
    const hold = { ...fresh, healthySeconds: 1800, back: { upTo: 'BE' } };
    expect(next(hold, 'healthy', { mode: 'gradual' }, { healthyMs: minutes(35), stepMs: minutes(9) })).toBe(hold);
  });
});

describe('counted', () => {
  it('counts from one healthy look to the next, and no longer gap than two minutes', () => {
    const first = counted(undefined, fresh, 'healthy', minutes(1));
    const second = counted(first, fresh, 'healthy', minutes(2));
    expect([first.healthyMs, second.healthyMs, counted(second, fresh, 'healthy', minutes(60)).healthyMs]).toEqual([
      0,
      minutes(1),
      minutes(3),
    ]);
  });

  it('begins with what the zone says, and stands still while nothing is known', () => {
    const hold = { ...fresh, healthySeconds: 480 };
    const first = counted(undefined, hold, 'healthy', 0);
    const second = counted(counted(first, hold, 'unknown', minutes(1)), hold, 'healthy', minutes(2));
    expect(second.healthyMs).toBe(480_000);
    expect(counted(second, hold, 'partly', minutes(3)).healthyMs).toBe(0);
  });
});

it.each([
  ['heldDown', 30 * 60],
  ['gradual', (30 + 8 * 10) * 60],
  ['byHand', 0],
] as const)('a hold %s of a healthy cluster stands for %i s at most', (mode, seconds) => {
  expect(expectedSeconds({ ...rule, mode })).toBe(seconds);
});

describe('whatever happens', () => {
  const event = fc.oneof(
    { weight: 8, arbitrary: fc.record({ look: fc.constantFrom<Sight>('healthy', 'healthy', 'healthy', 'down') }) },
    { weight: 2, arbitrary: fc.record({ look: fc.constantFrom<Sight>('unknown', 'partly') }) },
    { weight: 4, arbitrary: fc.record({ healthyLooks: fc.integer({ min: 5, max: 80 }) }) },
    { weight: 1, arbitrary: fc.record({ clockHours: fc.integer({ min: -1000, max: 1000 }) }) },
    { weight: 1, arbitrary: fc.constant({ restart: true }) },
  );
  const someRule = fc.record({
    mode: fc.constantFrom('heldDown' as const, 'gradual' as const),
    holdMinutes: fc.integer({ min: 1, max: 60 }),
    stepShare: fc.integer({ min: 1, max: 100 }).map((percent) => percent / 100),
    stepMinutes: fc.integer({ min: 2, max: 15 }),
  });

  /** Lives through events with looks every half a minute; `onChange` sees every write. */
  function live(
    events: readonly object[],
    by: Failback,
    onChange: (before: Hold, after: Hold | undefined, healthyMinutes: number, sinceStep: number) => void,
  ): Hold | undefined {
    let hold: Hold | undefined = fresh;
    let count: Count | undefined;
    let [nowMs, monotonicMs, healthyLooks, sinceStep] = [1e12, 0, 0, 0];
    const look = (sight: Sight): void => {
      nowMs += 30_000;
      monotonicMs += 30_000;
      sinceStep += 0.5;
      healthyLooks = sight === 'healthy' ? healthyLooks + 1 : sight === 'unknown' ? healthyLooks : 0;
      count = hold === undefined ? undefined : counted(count, hold, sight, monotonicMs);
      const [before, canHold, moves] = [hold, () => true, () => moving];
      hold = nextHold(before, { cluster: 'paris', rule: by, sight, count, by: 'a', nowMs, canHold, moving: moves });
      if (before === undefined || hold === before) return;
      onChange(before, hold, healthyLooks / 2, sinceStep);
      if (hold === undefined || hold.back !== before.back) sinceStep = 0;
    };
    for (const one of events) {
      if ('clockHours' in one) nowMs += Number(one.clockHours) * 3_600_000;
      if ('restart' in one) [count, monotonicMs] = [undefined, 7];
      if ('look' in one) look(one.look as Sight);
      if ('healthyLooks' in one) for (let index = 0; index < Number(one.healthyLooks); index += 1) look('healthy');
    }
    for (let index = 0; index < 6000 && hold !== undefined; index += 1) look('healthy');
    return hold;
  }

  const led = (hold: Hold | undefined, code: string): number =>
    hold === undefined ? wholeParts : partsMoved(hold.back, code);

  it('nobody returns before the hold is over, whatever the clock says and whoever goes on', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), someRule, (events, by) => {
        live(events, by, (before, after, healthyMinutes) => {
          const isReturn = moving.some(({ code }) => led(after, code) > led(before, code));
          // The look that first sees it healthy is one of those looks, but counts no time.
          if (isReturn) expect(healthyMinutes - 0.5).toBeGreaterThanOrEqual(by.holdMinutes);
        });
      }),
    );
  });

  it('a step leads back no more than its share, and not before its time', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), someRule, (events, given) => {
        const by = { ...given, mode: 'gradual' as const };
        live(events, by, (before, after, _healthy, sinceStep) => {
          const share = moving.reduce(
            (sum, one) => sum + (one.share * Math.max(0, led(after, one.code) - led(before, one.code))) / wholeParts,
            0,
          );
          expect(share).toBeLessThanOrEqual(by.stepShare + 1e-6);
          if (share > 0 && before.back.upTo !== undefined) expect(sinceStep).toBeGreaterThanOrEqual(by.stepMinutes);
        });
      }),
    );
  });

  it('it ends with the policy as it is written', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), someRule, (events, by) => {
        expect(live(events, by, () => {})).toBeUndefined();
      }),
    );
  });

  it('whoever goes on has lost no more than what is between two notes', () => {
    fc.assert(
      fc.property(someRule, fc.integer({ min: 0, max: 200 }), (by, looks) => {
        let hold: Hold | undefined = fresh;
        let count: Count | undefined;
        for (let index = 0; index <= looks && hold !== undefined; index += 1) {
          count = counted(count, hold, 'healthy', index * 30_000);
          const sure = { canHold: () => true, moving: () => moving };
          hold = nextHold(hold, { cluster: 'paris', rule: by, sight: 'healthy', count, by: 'a', nowMs: 0, ...sure });
        }
        if (hold !== undefined && hold.back.upTo === undefined && hold.back.next === undefined)
          expect(hold.healthySeconds).toBeGreaterThan(looks * 30 - markEverySeconds(by) - 1);
      }),
    );
  });
});
