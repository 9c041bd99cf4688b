import { type BackoffOptions, backoffMs } from './backoff.ts';
import type { Clock, Timer } from './clock.ts';

export interface LoopOptions {
  readonly clock: Clock;
  /**
   * One run. Resolves with in how many ms the next one is due when nobody triggers it earlier: 0 for at once, nothing or
   * Infinity for not before a trigger. A rejection is reported to `onError`, and the run is tried again after `retry`.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a run that never asks for another one returns nothing.
  readonly run: () => Promise<number | void>;
  readonly onError: (error: unknown) => void;
  /** The waits after failed runs in a row. */
  readonly retry: BackoffOptions;
  /** Waits this long for more triggers before a run. Default 0: a trigger runs at once, before it returns. */
  readonly debounceMs?: number;
  /** A run waits never longer than this after the first trigger, however many follow. Default: as `debounceMs`. */
  readonly ceilingMs?: number;
}

/**
 * The one loop that owns a state: it runs when triggered, again when triggered meanwhile, and when the time has come that
 * the run itself asked for. Runs are never concurrent, triggers during a run cause exactly one more run, a burst is debounced
 * but never starved. A trigger ends the wait after a failed run; one that came during the run does not.
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
   * Makes the next run due in so many ms, where nobody triggers one earlier. Nothing happens when somebody has triggered
   * already, or during a run, which says itself when the next one is due.
   */
  triggerIn(delayMs: number): void {
    if (!this.#stopped && this.#running === undefined && this.#firstTriggerAt === undefined) this.#schedule(delayMs);
  }

  /** Somebody has triggered since the run in flight began: it is out of date. */
  get triggered(): boolean {
    return this.#again;
  }

  /** Resolves when the run in flight is over; at once when there is none. Another one may have begun by then. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /** Waits for the run in flight, then never runs again. */
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
    // Set before the first line of the run: that may trigger.
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#running = promise;
    void this.#runOnce().then((nextMs) => {
      this.#running = undefined;
      resolve();
      if (!this.#stopped) this.#continue(nextMs);
    });
  }

  /** Resolves with in how many ms the next run is due; after a failed one triggers during the run do not count. */
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
