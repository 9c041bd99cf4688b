import { expect, test } from 'vitest';
import { FakeClock } from '../../../../../test/support/fake-clock.ts';
import { Limiter, limiterOf } from './limiter.ts';

/** Starts so many calls at once; resolves with when each was made, in seconds, after `seconds`. */
async function made(limiter: Limiter, clock: FakeClock, calls: readonly string[], seconds: number) {
  const start = clock.monotonic();
  const at: number[] = [];
  for (const call of calls) void limiter.take(call).then(() => at.push((clock.monotonic() - start) / 1000));
  await clock.advance(seconds * 1000);
  return at;
}

const many = (count: number, call = 'ListHealthChecks'): readonly string[] => Array.from({ length: count }, () => call);

test('calls beyond the burst are made at the rate of the account, in their order', async () => {
  const clock = new FakeClock();
  const at = await made(new Limiter(clock), clock, many(53), 1);
  expect(at.filter((second) => second === 0)).toHaveLength(50);
  expect(at.slice(50)).toEqual([0.1, 0.2, 0.3]);
});

test('a kind of call with less than the account has its own rate, and leaves the others theirs', async () => {
  const clock = new FakeClock();
  const limiter = new Limiter(clock);
  const deletions = await made(limiter, clock, many(18, 'DeleteHealthCheck'), 2);
  expect(deletions.slice(15).map((second) => Math.round(second * 3))).toEqual([1, 2, 3]);
  expect(await made(limiter, clock, ['GetChange'], 0)).toEqual([0]);
});

test('after a refusal the burst is gone, because somebody else has used it', async () => {
  const clock = new FakeClock();
  const limiter = new Limiter(clock);
  limiter.refused('ListHealthChecks');
  expect(await made(limiter, clock, many(3), 1)).toEqual([0.1, 0.2, 0.3]);
});

test('all clients of a process share one', () => {
  const clock = new FakeClock();
  expect(limiterOf(clock)).toBe(limiterOf(clock));
  expect(limiterOf(new FakeClock())).not.toBe(limiterOf(clock));
});
