import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { Loop } from './loop.ts';

function harness(run: () => Promise<void>) {
  const clock = new FakeClock();
  const errors: unknown[] = [];
  const loop = new Loop({
    clock,
    debounceMs: 10,
    ceilingMs: 50,
    retryMs: 100,
    retryCeilingMs: 300,
    run,
    onError: (error) => errors.push(error),
  });
  return { clock, errors, loop };
}

describe('Loop', () => {
  it('runs once for a burst of triggers', async () => {
    let runs = 0;
    const { clock, loop } = harness(async () => {
      runs += 1;
    });
    for (let index = 0; index < 5; index += 1) loop.trigger();
    await clock.advance(1000);
    expect(runs).toBe(1);
  });

  it('is not starved by triggers that never pause: the ceiling', async () => {
    let runs = 0;
    const { clock, loop } = harness(async () => {
      runs += 1;
    });
    for (let index = 0; index < 20; index += 1) {
      loop.trigger();
      await clock.advance(5);
    }
    expect(runs).toBeGreaterThanOrEqual(1);
  });

  it('never runs twice at once, and runs again after a trigger during a run', async () => {
    let running = 0;
    let most = 0;
    let runs = 0;
    let release = (): void => {};
    const { clock, loop } = harness(async () => {
      runs += 1;
      running += 1;
      most = Math.max(most, running);
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      running -= 1;
    });
    loop.trigger();
    await clock.advance(10);
    loop.trigger();
    loop.trigger();
    await clock.advance(100);
    expect(runs).toBe(1);
    release();
    await clock.advance(100);
    expect(runs).toBe(2);
    expect(most).toBe(1);
  });

  it('retries a failed run with a growing delay, and forgets the failures after a good one', async () => {
    const at: number[] = [];
    let fail = true;
    const { clock, errors, loop } = harness(async () => {
      at.push(clock.now() - 1_000_000);
      if (fail) throw new Error('no');
    });
    loop.trigger();
    await clock.advance(1000);
    expect(at).toEqual([10, 110, 310, 610, 910]);
    expect(errors.length).toBe(5);
    fail = false;
    await clock.advance(300);
    expect(at.length).toBe(6);
    await clock.advance(5000);
    expect(at.length).toBe(6);
  });

  it('does not run after stop', async () => {
    let runs = 0;
    const { clock, loop } = harness(async () => {
      runs += 1;
    });
    loop.trigger();
    await loop.stop();
    loop.trigger();
    await clock.advance(1000);
    expect(runs).toBe(0);
    expect(clock.pending).toBe(0);
  });
});
