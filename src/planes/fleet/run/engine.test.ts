import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FakeClock } from '../../../../test/support/fake-clock.ts';
import { type EngineOptions, goThrough, type Outcome, stepsOf } from './engine.ts';
import type { StepFault, StepHandlers } from './handlers.ts';
import type { JournalEvent } from './journal.ts';
import type { Reach } from './reach.ts';
import type { Run, Step } from './steps.ts';

const reach: Reach = { apply: async () => new Map(), call: async () => new Map() };
const none = async (): Promise<readonly StepFault[]> => [];

function runOf(shape: readonly number[]): Run {
  const waves = shape.map((steps, wave) => ({
    cluster: 'paris',
    kind: 'worker' as const,
    servers: [`w${wave}`],
    steps: Array.from(
      { length: steps },
      (_, index): Step =>
        index % 2 === 0 ? { do: 'apply', servers: [`w${wave}`] } : { do: 'restart', servers: [`w${wave}`] },
    ),
  }));
  return { format: 1, command: 'apply', checksum: '0123456789abcdef', waves, warnings: [] };
}

class Crash extends Error {}

/** A journal that survives a crash, and servers that remember what was done to them. */
class World {
  readonly lines: JournalEvent[] = [];
  readonly effects: string[] = [];
  /** Waves that were done; one may be told of twice. */
  readonly done: string[] = [];
  crashAt = Infinity;
  fails: string | undefined;
  held: string | undefined;

  options(): EngineOptions {
    const does = async (step: { readonly do: string; readonly servers: readonly string[] }) => {
      const effect = `${step.do} ${step.servers.join()}`;
      this.effects.push(effect);
      return effect === this.fails ? [{ server: step.servers[0] ?? '', message: 'no' }] : [];
    };
    return {
      append: async (event) => {
        if (this.lines.length >= this.crashAt) throw new Crash();
        this.lines.push(event);
      },
      handlers: { apply: does, restart: does },
      reach,
      clock: new FakeClock(),
      signal: new AbortController().signal,
      hold: async () => this.held,
      tell: () => undefined,
      waveDone: async (wave) => void this.done.push(wave.servers.join()),
    };
  }

  async go(run: Run): Promise<Outcome> {
    const done = this.lines.filter(({ what }) => what === 'ended').length;
    return await goThrough(run, done, this.options());
  }
}

const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 });

it('goes on after a crash at any line: the same effects in the same order, and nothing twice but the step that was interrupted', async () => {
  await fc.assert(
    fc.asyncProperty(shapes, fc.nat(60), async (shape, crashAt) => {
      const run = runOf(shape);
      const whole = new World();
      await whole.go(run);
      const world = new World();
      world.crashAt = crashAt;
      const crashed = await world.go(run).then(
        () => false,
        (error: unknown) => error instanceof Crash,
      );
      const before = world.effects.length;
      const endedBefore = world.lines.filter(({ what }) => what === 'ended').length;
      world.crashAt = Infinity;
      if (crashed) expect(await world.go(run)).toEqual({ ended: 'finished' });
      expect([...world.effects.slice(0, endedBefore), ...world.effects.slice(before)]).toEqual(
        crashed ? whole.effects : whole.effects.slice(0, endedBefore),
      );
      expect(before - endedBefore).toBeLessThanOrEqual(1);
      expect(world.lines.at(-1)).toEqual({ what: 'finished' });
      expect([...new Set(world.done)]).toEqual(run.waves.flatMap(({ servers }) => servers));
    }),
  );
});

it('leaves every wave after one that failed untouched, and goes on there when it is mended', async () => {
  await fc.assert(
    fc.asyncProperty(shapes, fc.nat(), async (shape, which) => {
      const run = runOf(shape);
      const steps = stepsOf(run);
      const bad = steps[which % steps.length];
      if (bad === undefined || !('servers' in bad.step)) return;
      const world = new World();
      world.fails = `${bad.step.do} ${bad.step.servers.join()}`;
      const outcome = await world.go(run);
      expect(outcome).toMatchObject({ ended: 'failed', wave: bad.wave });
      const touched = new Set(world.effects.map((effect) => effect.split(' ')[1]));
      expect([...touched]).toEqual(run.waves.slice(0, bad.wave + 1).flatMap(({ servers }) => servers));
      // Of the wave that failed nobody says that its servers have what they are to have.
      expect(world.done).toEqual(run.waves.slice(0, bad.wave).flatMap(({ servers }) => servers));
      world.fails = undefined;
      expect(await world.go(run)).toEqual({ ended: 'finished' });
      expect(world.done).toEqual(run.waves.flatMap(({ servers }) => servers));
    }),
  );
});

it('stops between two steps where it must not go on, and says why', async () => {
  const run = runOf([2, 2]);
  const world = new World();
  const options = world.options();
  let asked = 0;
  const outcome = await goThrough(run, 0, {
    ...options,
    hold: async () => (++asked === 3 ? 'FROZEN by ann' : undefined),
  });
  expect(outcome).toEqual({ ended: 'stopped', why: 'FROZEN by ann' });
  expect(world.effects).toEqual(['apply w0', 'restart w0']);
  expect(world.lines.at(-1)).toEqual({ what: 'stopped', why: 'FROZEN by ann' });
});

it('begins nothing where a later step cannot be done', async () => {
  const world = new World();
  const { restart: _, ...handlers } = world.options().handlers;
  await expect(goThrough(runOf([1, 2]), 0, { ...world.options(), handlers })).rejects.toThrow(
    /cannot be done from here: restart/,
  );
  expect([world.effects, world.lines]).toEqual([[], []]);
});

it('counts an error of a step as its failure', async () => {
  const world = new World();
  const handlers: StepHandlers = { apply: () => Promise.reject(new Error('no master')), restart: none };
  expect(await goThrough(runOf([1, 1]), 0, { ...world.options(), handlers })).toMatchObject({
    ended: 'failed',
    faults: [{ message: 'no master' }],
  });
});

it('waits at a gate until it holds, and ends with what is missing when its time is over', async () => {
  const clock = new FakeClock();
  const gated: Run = {
    ...runOf([1]),
    waves: [
      {
        cluster: 'paris',
        kind: 'etcd',
        servers: ['m0'],
        steps: [{ do: 'gate', gate: 'EtcdHealthy', servers: ['m0'], timeoutSeconds: 30 }],
      },
    ],
  };
  const told: string[] = [];
  const passing = async (holdsAfterMs: number): Promise<Outcome> => {
    const startMs = clock.monotonic();
    const gate = async () => (clock.monotonic() - startMs >= holdsAfterMs ? undefined : 'm0 is a learner');
    const world = new World();
    const going = goThrough(gated, 0, {
      ...world.options(),
      clock,
      handlers: { gates: { EtcdHealthy: gate } },
      tell: ({ line }) => void (line === undefined ? undefined : told.push(line)),
    });
    await clock.advance(40_000);
    return await going;
  };
  expect(await passing(10_000)).toEqual({ ended: 'finished' });
  expect(told).toEqual(['waits: m0 is a learner']);
  expect(await passing(60_000)).toMatchObject({
    ended: 'failed',
    faults: [{ message: 'EtcdHealthy does not hold after 30 s: m0 is a learner' }],
  });
});
