/** Allows at most `limit()` events in any `windowMs`, whatever the limit is at the time; the caller hands in the time. */
export class RateWindow {
  readonly #limit: () => number;
  readonly #windowMs: number;
  #taken: { readonly atMs: number; readonly count: number }[] = [];

  constructor(limit: () => number, windowMs: number) {
    this.#limit = limit;
    this.#windowMs = windowMs;
  }

  /** Takes up to `count` events; returns how many of them the window allows. */
  take(count: number, nowMs: number): number {
    this.#taken = this.#taken.filter(({ atMs }) => atMs + this.#windowMs > nowMs);
    const used = this.#taken.reduce((sum, entry) => sum + entry.count, 0);
    const granted = Math.min(count, Math.max(0, this.#limit() - used));
    if (granted > 0) this.#taken.push({ atMs: nowMs, count: granted });
    return granted;
  }

  /** How long until at least one more event can be taken, after a `take` that returned less than `count`. */
  freeInMs(nowMs: number): number {
    const oldest = this.#taken[0];
    return oldest === undefined ? 0 : Math.max(1, oldest.atMs + this.#windowMs - nowMs);
  }
}
