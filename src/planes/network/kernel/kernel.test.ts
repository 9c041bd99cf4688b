import { expect, it } from 'vitest';
import { FakeClock } from '../../../../test/support/fake-clock.ts';
import { silentLog } from '../../../runtime/log.ts';
import type { BlackholeTable } from './blackholes.ts';
import { Kernel } from './kernel.ts';

/** Tables that need `readMs` to be read; `looksUntil` plays the loop of an agent, which looks when a read is due. */
class Tables implements BlackholeTable {
  readonly clock = new FakeClock(0);
  readonly readsAtMs: number[] = [];
  readonly watchers: { change: () => void; end: () => void }[] = [];
  rulesRead = 0;
  readonly #readMs: number;
  #triggered = false;
  readonly kernel: Kernel;

  constructor(readMs = 20) {
    this.#readMs = readMs;
    const onChange = (): void => {
      this.#triggered = true;
    };
    this.kernel = new Kernel({ blackholes: this, clock: this.clock, log: silentLog, reconcileMs: 10_000, onChange });
    this.kernel.start();
  }
  async read() {
    this.readsAtMs.push(this.clock.monotonic());
    await this.clock.advance(this.#readMs);
    return { blackholes: [], foreign: [], uplinks: [] };
  }
  async rules() {
    this.rulesRead++;
    return { foreign: [], uplink: [] };
  }
  change = async () => '';
  changeRules = async () => '';
  watch(change: () => void, end: () => void) {
    this.watchers.push({ change, end });
    return () => {};
  }
  /** Lets the time pass until `endMs`; at every `everyMs` something changes. */
  async passes(endMs: number, everyMs = Infinity): Promise<readonly number[]> {
    await this.kernel.look();
    for (let next = this.clock.monotonic() + everyMs; this.clock.monotonic() < endMs; ) {
      const due = this.#triggered ? this.kernel.reconcileAtMs : Math.min(this.kernel.reconcileAtMs, next);
      await this.clock.advance(Math.max(1, Math.min(due, next, endMs) - this.clock.monotonic()));
      if (this.clock.monotonic() >= next) {
        this.watchers.at(-1)?.change();
        next += everyMs;
      }
      this.#triggered = false;
      await this.kernel.look();
    }
    return this.readsAtMs;
  }
}

it('reads the tables every ten seconds when nobody says that they changed', async () => {
  expect(await new Tables().passes(31_000)).toEqual([0, 10_000, 20_000, 30_000]);
});

it('reads them at once when they change, and the rules with them', async () => {
  const tables = new Tables();
  await tables.passes(5000);
  tables.watchers[0]?.change();
  await tables.passes(5100);
  expect([tables.readsAtMs, tables.rulesRead]).toEqual([[0, 5000], 2]);
});

it('reads what changes all the time once a second, and for a quarter of the time where it is slow', async () => {
  const gapsOf = (reads: readonly number[]) => reads.slice(2).map((at, index) => at - (reads[index + 1] ?? 0));
  const quick = gapsOf(await new Tables().passes(10_000, 100));
  expect(Math.min(...quick)).toBeGreaterThanOrEqual(1000);
  expect(Math.max(...quick)).toBeLessThanOrEqual(1100);
  const slow = gapsOf(await new Tables(1000).passes(30_000, 100));
  expect(Math.min(...slow)).toBeGreaterThanOrEqual(4000);
});

it('misses no change that comes while the tables are read', async () => {
  const tables = new Tables(300);
  const read = tables.read.bind(tables);
  tables.read = async () => {
    if (tables.readsAtMs.length === 1) tables.watchers[0]?.change();
    return read();
  };
  expect((await tables.passes(15_000)).length).toBe(3);
});

it('follows the changes again when whoever told of them ended, and goes on reading meanwhile', async () => {
  const tables = new Tables();
  tables.watchers[0]?.end();
  expect(await tables.passes(11_000)).toEqual([0, 10_000]);
  expect(tables.watchers.length).toBe(2);
});
