import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { poolForTests } from '../../../test/support/edge-pool.ts';
import { calm, drained, peerAnswer, SteppingBlade, vip } from '../../../test/support/edge-view.ts';
import { noMemory } from './step/memory.ts';
import type { PeerAnswer } from './step/view.ts';
import { step } from './step.ts';

const drain = { graceSeconds: 1 };
const specs = [1, 2].map((minAnnouncers) => poolForTests({ minAnnouncers, drain }));

/**
 * Blades of one pool, whose agents go on in any order. A tick of an agent has up to four parts (it probes and steps,
 * asks, gets answers, steps), and between any two of them every other agent may do anything.
 */
class Pool {
  readonly blades: readonly SteppingBlade[];
  /** Blades that do not answer. */
  readonly #cut = new Set<SteppingBlade>();
  /** The parts that are left of the tick of a blade, in order. */
  readonly #rest = new Map<SteppingBlade, readonly (() => void)[]>();

  constructor(count: number, minAnnouncers: number) {
    const pool = specs[minAnnouncers - 1] ?? calm.pool;
    this.blades = Array.from({ length: count }, () => new SteppingBlade({ pool }));
    for (const blade of this.blades) for (let rounds = 0; rounds < 2; rounds += 1) blade.probe();
  }

  wait(ms: number): void {
    for (const blade of this.blades) blade.wait(ms);
  }

  do(blade: SteppingBlade, action: Action): void {
    if (action === 'go on') this.#goOn(blade);
    if (action === 'step') blade.step();
    if (action === 'break' || action === 'mend') {
      const answers = new Map([[vip, action === 'break' ? undefined : 'first']]);
      blade.changeView({ probes: { ...blade.view.probes, answers } });
    }
    if (action === 'drain') blade.changeView({ platform: drained });
    if (action === 'undrain') blade.changeView({ platform: calm.platform });
    if (action === 'stop') blade.changeView({ stoppingSinceMs: blade.view.nowMs });
    if (action === 'cut') this.#cut.add(blade);
    if (action === 'join') this.#cut.delete(blade);
    if (action === 'restart') this.#restart(blade);
    if (action === 'hear') this.#hear(blade, this.#answers(blade, blade.view.nowMs));
  }

  /** Blades that announce the VIP. */
  get announcers(): number {
    return this.blades.filter((blade) => blade.holds()).length;
  }

  #goOn(blade: SteppingBlade): void {
    const [next, ...rest] = this.#rest.get(blade) ?? [];
    if (next !== undefined) {
      this.#rest.set(blade, rest);
      next();
    } else if (blade.probe()) {
      const askedAtMs = blade.view.nowMs;
      let answers: readonly PeerAnswer[] = [];
      const answer = (): void => {
        answers = this.#answers(blade, askedAtMs);
      };
      const hear = (): void => {
        blade.changeView({ peers: { answers, answeredMs: blade.view.nowMs } });
        blade.step();
      };
      this.#rest.set(blade, [answer, hear]);
    }
  }

  /** Delivers answers of the peers, also between ticks: every blade asks its peers all the time. */
  #hear(blade: SteppingBlade, answers: readonly PeerAnswer[]): void {
    blade.changeView({ peers: { ...blade.view.peers, answers } });
  }

  #answers(asking: SteppingBlade, askedAtMs: number): readonly PeerAnswer[] {
    return this.blades
      .filter((peer) => peer !== asking && !this.#cut.has(peer))
      .map((peer, index) => {
        const vips = Object.fromEntries(peer.published.map((status) => [status.address, status]));
        return peerAnswer(`peer ${index}`, askedAtMs, vips);
      });
  }

  /** Starts the agent anew: it forgets everything, and ExaBGP goes on announcing what it announces. */
  #restart(blade: SteppingBlade): void {
    this.#rest.delete(blade);
    blade.memory = noMemory;
    blade.changeView({
      startedMs: blade.view.nowMs,
      stoppingSinceMs: undefined,
      probes: { ...blade.view.probes, number: 0 },
      peers: calm.peers,
    });
  }
}

const events = ['break', 'mend', 'drain', 'undrain', 'stop', 'cut', 'join', 'restart', 'step', 'hear'] as const;
type Action = (typeof events)[number] | 'go on';

const moment = fc.record({
  blade: fc.nat(2),
  action: fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom<Action>(...events) },
    { weight: 2, arbitrary: fc.constantFrom<Action>('break', 'mend') },
    { weight: 10, arbitrary: fc.constant<Action>('go on') },
  ),
  ms: fc.oneof(
    { weight: 20, arbitrary: fc.integer({ min: 1, max: 100 }) },
    { weight: 1, arbitrary: fc.integer({ min: 1000, max: 12_000 }) },
  ),
});
const moments = fc.array(moment, { maxLength: 200, size: 'max' });
const pools = fc.constantFrom([2, 1], [3, 1], [3, 2]);

describe('blades of one pool, whatever happens to them and in whatever order they step', () => {
  it('never withdraw a VIP so that fewer than minAnnouncers announce it', () => {
    fc.assert(
      fc.property(pools, moments, ([count = 2, minAnnouncers = 1], steps) => {
        const pool = new Pool(count, minAnnouncers);
        return steps.every(({ blade, action, ms }) => {
          pool.do(pool.blades[blade % count]!, action);
          pool.wait(ms);
          return pool.announcers >= minAnnouncers;
        });
      }),
      { numRuns: 500 },
    );
  });

  it('come to the same result from the same view and memory', () => {
    fc.assert(
      fc.property(moments, (steps) => {
        const pool = new Pool(2, 1);
        for (const { blade: index, action, ms } of steps) {
          const blade = pool.blades[index % 2]!;
          expect(step(blade.view, blade.memory)).toEqual(step(blade.view, blade.memory));
          pool.do(blade, action);
          pool.wait(ms);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('announce a VIP from every blade that is whole, once nothing happens any more', () => {
    fc.assert(
      fc.property(moments, (steps) => {
        const pool = new Pool(2, 1);
        for (const { blade, action, ms } of steps) {
          pool.do(pool.blades[blade % 2]!, action);
          pool.wait(ms);
        }
        for (const blade of pool.blades) {
          for (const action of ['restart', 'mend', 'undrain', 'go on', 'go on'] as const) pool.do(blade, action);
          expect(blade.holds()).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });
});
