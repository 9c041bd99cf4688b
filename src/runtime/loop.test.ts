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
    retry: { firstMs: 100, ceilingMs: 300 },
    run,
    onError: (error) => errors.push(error),
  });
  return { clock, errors, loop };
}

function atOnce(run: () => Promise<number | undefined | void>) {
  const clock = new FakeClock();
  const retry = { firstMs: 100, ceilingMs: 300 };
  return { clock, loop: new Loop({ clock, retry, run, onError: () => {} }) };
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

  it('runs at once without a debounce, and again for a trigger of its own first line', async () => {
    let runs = 0;
    const { clock, loop } = atOnce(async () => {
      runs += 1;
      if (runs === 1) loop.trigger();
    });
    loop.trigger();
    expect(runs).toBe(1);
    await clock.advance(0);
    expect(runs).toBe(2);
    expect(clock.pending).toBe(0);
  });

  it('runs when the run before asked for it, earlier when triggered, and not when it asked for nothing', async () => {
    const at: number[] = [];
    const waits = [30, 30, 0, undefined];
    const { clock, loop } = atOnce(async () => {
      at.push(clock.now() - 1_000_000);
      return waits.shift();
    });
    loop.trigger();
    await clock.advance(40);
    loop.trigger();
    await clock.advance(1000);
    expect(at).toEqual([0, 30, 40, 40]);
    expect(clock.pending).toBe(0);
  });

  it('ends the wait after a failed run for a trigger, but not for one that came during the run', async () => {
    const at: number[] = [];
    const { clock, loop } = atOnce(async () => {
      at.push(clock.now() - 1_000_000);
      loop.trigger();
      if (at.length < 3) throw new Error('no');
      void loop.stop();
    });
    loop.trigger();
    await clock.advance(100);
    expect(at).toEqual([0, 100]);
    await clock.advance(50);
    loop.trigger();
    expect(at).toEqual([0, 100, 150]);
  });

  it('knows during a run that it is out of date', async () => {
    const seen: boolean[] = [];
    const { clock, loop } = atOnce(async () => {
      seen.push(loop.triggered);
      if (seen.length === 1) loop.trigger();
      seen.push(loop.triggered);
    });
    loop.trigger();
    await clock.advance(0);
    expect(seen).toEqual([false, true, false, false]);
  });

  it('waits for the run in flight when it is stopped or asked to be idle', async () => {
    let release = (): void => {};
    const events: string[] = [];
    const { loop } = atOnce(async () => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      events.push('run');
    });
    await loop.idle();
    loop.trigger();
    const ends = [loop.idle(), loop.stop()].map((end) => end.then(() => events.push('end')));
    await Promise.resolve();
    expect(events).toEqual([]);
    release();
    await Promise.all(ends);
    expect(events).toEqual(['run', 'end', 'end']);
  });

  it('can be given the time of a run, which a trigger brings forward', async () => {
    const at: number[] = [];
    const { clock, loop } = atOnce(async () => {
      at.push(clock.now() - 1_000_000);
    });
    loop.triggerIn(50);
    await clock.advance(49);
    expect(at).toEqual([]);
    await clock.advance(1);
    loop.triggerIn(50);
    loop.trigger();
    await clock.advance(1000);
    expect(at).toEqual([50, 50]);
  });

  it('does not put off a run that was triggered already', async () => {
    let runs = 0;
    const { clock, loop } = harness(async () => {
      runs += 1;
    });
    loop.trigger();
    loop.triggerIn(500);
    await clock.advance(10);
    expect(runs).toBe(1);
  });
});
