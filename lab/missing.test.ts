import { expect, it } from 'vitest';
import { FakeClock } from '../test/support/fake-clock.ts';
import { stillMissing } from './missing.ts';

it('looks until nothing is missing', async () => {
  const clock = new FakeClock();
  const words = ['two', 'one', undefined];
  const waited = stillMissing(() => words.shift(), { clock, timeoutMs: 1000, everyMs: 10 });
  await clock.advance(30);
  expect(await waited).toBeUndefined();
  expect([words, clock.pending]).toEqual([[], 0]);
});

it('says what was missing last when the time is over, and looks at least once', async () => {
  const clock = new FakeClock();
  let looks = 0;
  const waited = stillMissing(async () => `look ${++looks}`, { clock, timeoutMs: 250 });
  await clock.advance(1000);
  expect(await waited).toBe('look 4');
});

it('ends at once with what a look throws', async () => {
  const clock = new FakeClock();
  await expect(stillMissing(() => Promise.reject(new Error('gone')), { clock, timeoutMs: 1000 })).rejects.toThrow(
    'gone',
  );
});
