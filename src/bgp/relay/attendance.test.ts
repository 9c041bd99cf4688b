import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Attendance } from './attendance.ts';

const limitMs = 90_000;

it('begins to yield when the agent was not heard for the limit, and ends with its first word', () => {
  const attendance = new Attendance(limitMs, 0);
  expect([attendance.look(89_999, 1), attendance.yields]).toEqual([false, false]);
  expect([attendance.look(90_000, 2), attendance.yields, attendance.period]).toEqual([true, true, { sinceMs: 2 }]);
  expect([attendance.look(91_000, 3), attendance.period]).toEqual([false, { sinceMs: 2 }]);
  expect([attendance.heard(92_000, 4), attendance.yields]).toEqual([true, false]);
  expect([attendance.heard(92_001, 5), attendance.period]).toEqual([false, { sinceMs: 2, untilMs: 4 }]);
});

it('says it again every ten minutes, and at once in the next period', () => {
  const attendance = new Attendance(limitMs, 0);
  const said = Array.from({ length: 3600 }, (_, second) => second).filter((s) => attendance.look(s * 1000, s));
  expect(said).toEqual([90, 690, 1290, 1890, 2490, 3090]);
  attendance.heard(3600_000, 0);
  expect([attendance.look(3_689_999, 0), attendance.look(3_690_000, 0)]).toEqual([false, true]);
});

it('yields as long as the agent asks for it, and says that it was asked', () => {
  const attendance = new Attendance(limitMs, 0);
  expect([attendance.heard(1000, 1, true), attendance.period]).toEqual([true, { sinceMs: 1, asked: true }]);
  expect([attendance.heard(2000, 2, true), attendance.look(2001, 2), attendance.look(95_000, 3)]).toEqual([
    false,
    true,
    false,
  ]);
  expect([attendance.heard(96_000, 4), attendance.period]).toEqual([true, { sinceMs: 1, asked: true, untilMs: 4 }]);
  expect(attendance.look(185_999, 5)).toBe(false);
});

it('goes on with what the relay before it began, and says so', () => {
  const attendance = new Attendance(limitMs, 0);
  attendance.resume(7);
  expect([attendance.yields, attendance.period, attendance.look(1000, 8)]).toEqual([true, { sinceMs: 7 }, true]);
  attendance.resume(9);
  expect(attendance.period).toEqual({ sinceMs: 7 });
  expect([attendance.heard(2000, 10), attendance.look(91_999, 11)]).toEqual([true, false]);
});

it('never yields while the agent is heard within the limit, however the words fall and however the date is set', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: limitMs - 1 }), fc.integer())), (words) => {
      const attendance = new Attendance(limitMs, 0);
      let now = 0;
      for (const [pauseMs, dateMs] of words) {
        now += pauseMs;
        expect(attendance.look(now, dateMs)).toBe(false);
        expect(attendance.heard(now, dateMs)).toBe(false);
      }
      expect([attendance.yields, attendance.period]).toEqual([false, undefined]);
    }),
  );
});
