import type { Clock, Timer } from './clock.ts';

export interface LoopOptions {
  readonly clock: Clock;
  /** Wait this long for more triggers before a run. */
  readonly debounceMs: number;
  /** Never wait longer than this after the first trigger, however many follow. */
  readonly ceilingMs: number;
  /** Wait this long before the next run after a failed one; doubled up to `retryCeilingMs`. */
  readonly retryMs: number;
  readonly retryCeilingMs: number;
  /** One run at a time; a rejection is reported to `onError` and retried. */
  readonly run: () => Promise<void>;
  readonly onError: (error: unknown) => void;
}

/**
 * The one loop that owns a plane's state: runs are never concurrent, triggers during a run cause exactly one more run,
 * a burst is debounced but never starved.
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
    const { clock, debounceMs, ceilingMs } = this.#options;
    const now = clock.monotonic();
    this.#firstTriggerAt ??= now;
    this.#schedule(Math.max(0, Math.min(debounceMs, this.#firstTriggerAt + ceilingMs - now)));
  }

  /** Waits for the run in flight, then never runs again. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#running;
  }

  #schedule(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#running = this.#runOnce();
    }, delayMs);
  }

  async #runOnce(): Promise<void> {
    this.#timer = undefined;
    this.#firstTriggerAt = undefined;
    let retryAfterMs: number | undefined;
    try {
      await this.#options.run();
      this.#failures = 0;
    } catch (error) {
      retryAfterMs = Math.min(this.#options.retryMs * 2 ** this.#failures, this.#options.retryCeilingMs);
      this.#failures += 1;
      this.#options.onError(error);
    }
    this.#running = undefined;
    if (this.#stopped) return;
    if (retryAfterMs !== undefined) {
      this.#again = false;
      this.#schedule(retryAfterMs);
    } else if (this.#again) {
      this.#again = false;
      this.trigger();
    }
  }
}
