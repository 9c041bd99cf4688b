import type { Clock, Timer } from '../../../../src/runtime/clock.ts';
import { type HealthCheck, healthyByCheckers } from './check.ts';
import { compressTimeouts, type Probe, type ProbeTimeouts } from './probe.ts';

export interface CheckersOptions {
  readonly clock: Clock;
  readonly probe: Probe;
  /** Intervals are divided by this factor, and so are timeouts (never below 500 ms). */
  readonly compression: number;
  /** Checkers for each health check; they do not coordinate. */
  readonly count: number;
  /** Which share of the checkers, the first ones, cannot reach an address; absent: all reach all. */
  readonly unreachableFor?: (address: string) => number;
  /** Called when an endpoint's status has changed. */
  readonly onChange: (check: HealthCheck, healthy: boolean, detail: string) => void;
}

/** One checker's view of an endpoint. */
export interface Observation {
  readonly checker: number;
  readonly healthy: boolean;
  /** The detail of the last probe; undefined before the first. */
  readonly detail: string | undefined;
  readonly at: number | undefined;
}

interface Checker {
  healthy: boolean;
  /** Probes in a row that contradict `healthy`. */
  contradictions: number;
  detail: string | undefined;
  at: number | undefined;
}

interface Watched {
  check: HealthCheck;
  readonly checkers: readonly Checker[];
  readonly timers: (Timer | undefined)[];
  healthy: boolean;
}

/**
 * The checkers of all endpoints. Each checker probes at the check's interval with a start offset of its own, and changes its
 * view after `failureThreshold` contrary probes in a row, in either direction. A new check starts healthy.
 */
export class Checkers {
  readonly #options: CheckersOptions;
  readonly #timeouts: ProbeTimeouts;
  readonly #watched = new Map<string, Watched>();
  readonly #abort = new AbortController();

  constructor(options: CheckersOptions) {
    this.#options = options;
    this.#timeouts = compressTimeouts(options.compression);
  }

  /** Starts to probe for a check; a changed check goes on from its present status. */
  watch(check: HealthCheck): void {
    const { settings, id } = check;
    const existing = this.#watched.get(id);
    if (existing !== undefined) existing.check = check;
    if (settings.type === 'CALCULATED' || settings.disabled) {
      existing?.timers.forEach((timer) => timer?.cancel());
      existing?.timers.fill(undefined);
      return;
    }
    const watched = existing ?? newlyWatched(check, this.#options.count);
    this.#watched.set(id, watched);
    const interval = this.#intervalMs(check);
    for (const index of watched.checkers.keys()) {
      if (watched.timers[index] === undefined)
        this.#schedule(watched, index, (interval * (index + 0.5)) / this.#options.count);
    }
  }

  forget(id: string): void {
    this.#watched.get(id)?.timers.forEach((timer) => timer?.cancel());
    this.#watched.delete(id);
  }

  /** The endpoint's status by the 18 % rule; healthy when it is not watched (new or disabled). */
  isHealthy(id: string): boolean {
    return this.#watched.get(id)?.healthy ?? true;
  }

  observations(id: string): readonly Observation[] {
    return (this.#watched.get(id)?.checkers ?? []).map((checker, index) => ({
      checker: index + 1,
      healthy: checker.healthy,
      detail: checker.detail,
      at: checker.at,
    }));
  }

  /** Ends all probes, also those under way. */
  stop(): void {
    for (const id of this.#watched.keys()) this.forget(id);
    this.#abort.abort();
  }

  #intervalMs(check: HealthCheck): number {
    return (check.settings.intervalSeconds * 1000) / this.#options.compression;
  }

  #schedule(watched: Watched, index: number, delayMs: number): void {
    watched.timers[index] = this.#options.clock.setTimeout(() => {
      void this.#probe(watched, index);
    }, delayMs);
  }

  async #probe(watched: Watched, index: number): Promise<void> {
    const { clock, probe } = this.#options;
    const startedAt = clock.monotonic();
    const result = this.#isCutOff(watched.check, index)
      ? { healthy: false, detail: 'Failure: Connection timed out. The endpoint is not reachable from here.' }
      : await probe(watched.check.settings, this.#timeouts, this.#abort.signal);
    const stillWatched = this.#watched.get(watched.check.id) === watched && !this.#abort.signal.aborted;
    if (!stillWatched || watched.timers[index] === undefined) return;
    const checker = watched.checkers[index];
    if (checker !== undefined) this.#record(watched, checker, result.healthy, result.detail);
    const nextInMs = startedAt + this.#intervalMs(watched.check) - clock.monotonic();
    this.#schedule(watched, index, Math.max(0, nextInMs));
  }

  #isCutOff({ settings: { address } }: HealthCheck, index: number): boolean {
    const { unreachableFor, count } = this.#options;
    return address !== undefined && index < Math.round((unreachableFor?.(address) ?? 0) * count);
  }

  #record(watched: Watched, checker: Checker, healthy: boolean, detail: string): void {
    checker.detail = detail;
    checker.at = this.#options.clock.now();
    checker.contradictions = healthy === checker.healthy ? 0 : checker.contradictions + 1;
    if (checker.contradictions < watched.check.settings.failureThreshold) return;
    checker.healthy = healthy;
    checker.contradictions = 0;
    const says = watched.checkers.filter((one) => one.healthy).length;
    const verdict = healthyByCheckers(says, watched.checkers.length);
    if (verdict === watched.healthy) return;
    watched.healthy = verdict;
    this.#options.onChange(watched.check, verdict, detail);
  }
}

function newlyWatched(check: HealthCheck, count: number): Watched {
  const checkers = Array.from({ length: count }, (): Checker => {
    return { healthy: true, contradictions: 0, detail: undefined, at: undefined };
  });
  return { check, checkers, timers: checkers.map(() => undefined), healthy: true };
}
