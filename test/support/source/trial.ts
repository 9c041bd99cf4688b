import { expect } from 'vitest';
import type { ControlPlane } from '../../../lab/control-plane/control-plane.ts';
import type { Kind } from '../../../src/kube/kinds.ts';
import { deepEqual } from '../../../src/kube/objects/equal.ts';
import type { StaleReason } from '../../../src/kube/source.ts';
import { objectsOfKind } from '../../../src/kube/state.ts';
import type { KubernetesSourceOptions } from '../../../src/kube/watch/source.ts';
import { eventually, nothing } from '../eventually.ts';
import { TestCluster } from './cluster.ts';
import { countOf, freshList, Judge } from './judge.ts';
import { Writer, writtenKinds } from './writer.ts';

export interface Expectation {
  /** The stale reasons that must be reported; `none` when the source must not become stale; absent when it may. */
  readonly stale?: readonly StaleReason[] | 'none';
  /**
   * The limit from the end of the fault until the source is live with all objects; machines of tests are loaded. Default
   * 60,000.
   */
  readonly withinMs?: number;
  /** How long after the begin of the fault the source may still have received something. Default 10,000. */
  readonly lateMs?: number;
}

/** The times of an agent (the defaults), for tests in which the shorter times of `eager` will not do. */
export const production = {
  staleAfterMs: 5000,
  steadyMs: 1000,
  backoffFirstMs: 500,
  backoffCeilingMs: 15_000,
  missingMs: 30_000,
  lookAgainMs: 5000,
  confirmMs: 10_000,
};

/**
 * How many connections the gate may see besides those of the watches: four that the client keeps, and as many kept before, which
 * died in a silent network. The client's kernel has given these up, and nothing is ever sent over them that would tell the gate.
 */
const spareConnections = 8;

/** A source of a busy cluster that is put through faults, and the judgement of what it reported. */
export class Trial {
  readonly plane: ControlPlane;
  readonly cluster: TestCluster;
  readonly writer: Writer;
  readonly judge: Judge;
  readonly kinds: readonly Kind[];

  private constructor(plane: ControlPlane, cluster: TestCluster, kinds: readonly Kind[]) {
    this.plane = plane;
    this.cluster = cluster;
    this.kinds = kinds;
    this.writer = new Writer(plane, { label: cluster.label });
    this.judge = new Judge(kinds, this.writer);
  }

  /** Starts the writer and the source, and waits until the source follows the writer. `prepared` is called before that. */
  static async begin(
    plane: ControlPlane,
    options: Partial<KubernetesSourceOptions> = {},
    prepared: (cluster: TestCluster) => Promise<void> = async () => {},
  ): Promise<Trial> {
    const kinds = options.kinds ?? writtenKinds;
    const cluster = await TestCluster.create(plane, { ...options, kinds });
    await prepared(cluster);
    const trial = new Trial(plane, cluster, kinds);
    trial.writer.start();
    await trial.writer.writes(60);
    cluster.source.start(trial.judge);
    await trial.judge.live();
    await trial.writer.writes(20);
    return trial;
  }

  /** Runs a fault that ends by itself, and expects the source to recover completely. Resolves with the seconds that it took. */
  async endure(fault: () => Promise<void>, expected: Expectation = {}): Promise<number> {
    const { judge, writer } = this;
    const firstTold = judge.told.length;
    const beganMs = Date.now();
    try {
      await fault();
      const mendedMs = Date.now();
      await writer.writes(20);
      await writer.stop();
      await this.#waitUntilSettled(mendedMs + (expected.withinMs ?? 60_000));
      const tookMs = Date.now() - mendedMs;
      this.#expectHonestStatuses(firstTold, beganMs, expected);
      expect([...judge.faults]).toEqual([]);
      await this.expectEqual();
      await this.#expectFewConnections();
      return tookMs / 1000;
    } finally {
      judge.faults.length = 0;
      writer.start();
    }
  }

  /** Expects every kind to equal a fresh list, and the writes that the writer knows. */
  async expectEqual(): Promise<void> {
    const { state } = this.judge;
    for (const kind of this.kinds) {
      const ours = state === undefined ? new Map() : objectsOfKind(state, kind);
      expect(ours, `${kind} as listed anew`).toEqual(await freshList(this.plane, kind, { label: this.cluster.label }));
      expect(this.#lost(kind), `${kind} as written`).toEqual([]);
    }
  }

  async end(): Promise<void> {
    await this.writer.stop();
    await this.cluster.end();
    await this.writer.end();
  }

  #lost(kind: Kind): readonly string[] {
    const { state } = this.judge;
    const lost: string[] = [];
    for (const [key, last] of this.writer.last(kind)) {
      const object = state === undefined ? undefined : objectsOfKind(state, kind).get(key);
      const count = object === undefined ? 'gone' : countOf(object);
      if (count !== last) lost.push(`${key}: ${count}, written ${last}`);
    }
    return lost;
  }

  /** Resolves when the source is live and no write is missing. */
  async #waitUntilSettled(deadlineMs: number): Promise<void> {
    const settled = nothing(() => {
      const lost = this.kinds.flatMap((kind) => this.#lost(kind));
      const { phase, ...more } = this.cluster.source.status();
      if (phase === 'live' && lost.length === 0) return undefined;
      return JSON.stringify({ phase, ...more, lost, faults: this.judge.faults });
    });
    const timeoutMs = Math.max(0, deadlineMs - Date.now());
    await eventually('live, and nothing that was written is missing', settled, {
      timeoutMs,
      everyMs: 25,
      onError: 'fail',
    });
  }

  /** Expects the right stale reasons and a true `sinceMs` in the statuses that the source reported. */
  #expectHonestStatuses(firstTold: number, beganMs: number, { stale, lateMs = 10_000 }: Expectation): void {
    const told = this.judge.told.slice(firstTold);
    const reasons = told.flatMap(({ status }) => (status.phase === 'stale' ? [status.reason] : []));
    if (stale === 'none') expect(reasons).toEqual([]);
    else for (const reason of stale ?? []) expect(reasons).toContain(reason);
    let since: number | undefined;
    let first = true;
    for (const { status, atMs, leastHeardMs } of told) {
      expect(status.phase, 'a source that was live once').not.toBe('syncing');
      if (status.phase !== 'stale') {
        since = undefined;
        continue;
      }
      // While the source stays stale, `sinceMs` does not change.
      if (since !== undefined) expect(status.sinceMs).toBe(since);
      else {
        if (first) expect(status.sinceMs, 'stale since').toBeLessThanOrEqual(beganMs + lateMs);
        expect(status.sinceMs, 'stale since').toBeLessThanOrEqual(atMs);
        // A change is published at most some milliseconds after it was heard, or later on a loaded machine.
        expect(status.sinceMs, 'stale since').toBeGreaterThanOrEqual(leastHeardMs - 2000);
      }
      since = status.sinceMs;
      first = false;
    }
  }

  async #expectFewConnections(): Promise<void> {
    const limit = this.kinds.length + spareConnections;
    await expect.poll(() => this.cluster.gate.open, { timeout: 30_000 }).toBeLessThanOrEqual(limit);
  }
}

/** The keys whose objects differ. It is quick for tens of thousands of objects. */
export function differing(ours: ReadonlyMap<string, unknown>, theirs: ReadonlyMap<string, unknown>): readonly string[] {
  const keys = new Set([...ours.keys(), ...theirs.keys()]);
  return [...keys].filter((key) => !deepEqual(ours.get(key), theirs.get(key)));
}
