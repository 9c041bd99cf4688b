import type { Prefix } from '../../model/address.ts';
import type { Clock, Timer } from '../../runtime/clock.ts';

/** Lets go of blackholes only when they have been surplus for a while without a break. */
export class ReleaseQueue {
  readonly #clock: Clock;
  readonly #waitMs: number;
  readonly #wake: () => void;
  #sinceMs = new Map<string, number>();
  #timer: Timer | undefined;

  constructor(clock: Clock, waitMs: number, wake: () => void) {
    this.#clock = clock;
    this.#waitMs = waitMs;
    this.#wake = wake;
  }

  /** Those of `surplus` that were in every call for the waiting time; wakes when the next one is. */
  due(surplus: readonly Prefix[]): readonly Prefix[] {
    const now = this.#clock.monotonic();
    this.#sinceMs = new Map(surplus.map(({ text }) => [text, this.#sinceMs.get(text) ?? now]));
    this.#timer?.cancel();
    this.#timer = undefined;
    const waits = [...this.#sinceMs.values()].map((since) => since + this.#waitMs - now).filter((wait) => wait > 0);
    if (waits.length > 0) this.#timer = this.#clock.setTimeout(this.#wake, Math.min(...waits));
    return surplus.filter(({ text }) => (this.#sinceMs.get(text) ?? now) + this.#waitMs <= now);
  }

  stop(): void {
    this.#timer?.cancel();
  }
}
