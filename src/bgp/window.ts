/** At most `limit` events in any `windowMs`; time is handed in. */
export class RateWindow {
  readonly #limit: number;
  readonly #windowMs: number;
  #taken: { readonly atMs: number; readonly count: number }[] = [];

  constructor(limit: number, windowMs: number) {
    this.#limit = limit;
    this.#windowMs = windowMs;
  }

  /** Takes up to `count`; returns how many it got. */
  take(count: number, nowMs: number): number {
    this.#taken = this.#taken.filter(({ atMs }) => atMs + this.#windowMs > nowMs);
    const used = this.#taken.reduce((sum, entry) => sum + entry.count, 0);
    const got = Math.min(count, Math.max(0, this.#limit - used));
    if (got > 0) this.#taken.push({ atMs: nowMs, count: got });
    return got;
  }

  /** How long until at least one more can be taken, after a take that got less than asked for. */
  freeInMs(nowMs: number): number {
    const oldest = this.#taken[0];
    return oldest === undefined ? 0 : Math.max(1, oldest.atMs + this.#windowMs - nowMs);
  }
}
