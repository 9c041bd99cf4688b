import { type BackoffOptions, backoffMs } from './backoff.ts';
import type { Clock, Timer } from './clock.ts';

export interface LoopOptions {
  readonly clock: Clock;
  /**
   * One run. It resolves with the number of ms after which the next run is due unless a trigger comes earlier: 0 means at once,
   * nothing or Infinity means not before a trigger. A rejection is reported to `onError`, and the run is tried again after
   * `retry`.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a run that never asks for another one returns nothing.
  readonly run: () => Promise<number | void>;
  readonly onError: (error: unknown) => void;
  /** The waits after failed runs in a row. */
  readonly retry: BackoffOptions;
  /** A run waits this long for more triggers. Default 0: the run begins within the call of `trigger`. */
  readonly debounceMs?: number;
  /** A run never waits longer than this after the first trigger, however many follow. Default: as `debounceMs`. */
  readonly ceilingMs?: number;
}

/**
 * The one loop that owns a state: it runs when triggered, again when triggered during a run, and at the time that the last run
 * asked for. Runs are never concurrent, triggers during a run cause exactly one more run, and a burst of triggers is debounced
 * but cannot put off a run for ever. A trigger ends the wait after a failed run; a trigger that came during that run does not.
 */
export class Loop {
  readonly #options: LoopOptions;
  #timer: Timer | undefined;
  #firstTriggerAt: number | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #stopped = false;
  #failures = 0;

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  trigger(): void {
    if (this.#stopped) return;
    if (this.#running !== undefined) {
      this.#again = true;
      return;
    }
    const { clock, debounceMs = 0, ceilingMs = debounceMs } = this.#options;
    if (debounceMs === 0) return this.#begin();
    const now = clock.monotonic();
    this.#firstTriggerAt ??= now;
    this.#schedule(Math.max(0, Math.min(debounceMs, this.#firstTriggerAt + ceilingMs - now)));
  }

  /**
   * Makes the next run due after `delayMs` unless a trigger comes earlier. Does nothing when a trigger has come already, or
   * during a run, whose own result says when the next one is due.
   */
  triggerIn(delayMs: number): void {
    if (!this.#stopped && this.#running === undefined && this.#firstTriggerAt === undefined) this.#schedule(delayMs);
  }

  /** True when a trigger has come since the run in flight began, so that this run is out of date. */
  get triggered(): boolean {
    return this.#again;
  }

  /** Resolves when the run in flight is over, at once when there is none. Another run may have begun by then. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /** Resolves when the run in flight is over; no other run begins from now on. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#running;
  }

  #schedule(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.setTimeout(() => this.#begin(), delayMs);
  }

  #begin(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#firstTriggerAt = undefined;
    this.#again = false;
    // This is set before the run begins, because the first line of the run may call `trigger`.
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#running = promise;
    void this.#runOnce().then((nextMs) => {
      this.#running = undefined;
      resolve();
      if (!this.#stopped) this.#continue(nextMs);
    });
  }

  /** Resolves with the number of ms after which the next run is due. Triggers during a failed run do not count. */
  async #runOnce(): Promise<number> {
    const { run, retry } = this.#options;
    try {
      const nextMs = (await run()) ?? Infinity;
      this.#failures = 0;
      return nextMs;
    } catch (error) {
      this.#failures += 1;
      this.#again = false;
      this.#report(error);
      return Math.max(1, backoffMs(this.#failures, retry));
    }
  }

  /** A listener that throws must not end the loop: its error becomes the process's, and the loop goes on. */
  #report(error: unknown): void {
    try {
      this.#options.onError(error);
    } catch (worse) {
      queueMicrotask(() => {
        throw worse;
      });
    }
  }

  #continue(nextMs: number): void {
    if (this.#again) return this.trigger();
    if (nextMs <= 0) return this.#begin();
    if (nextMs !== Infinity) this.#schedule(Math.max(1, nextMs));
  }
}
