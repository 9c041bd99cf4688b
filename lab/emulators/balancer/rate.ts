const bucketMs = 250;

/** Events a second over a sliding window, exact to a bucket of 250 ms. */
export class Rate {
  readonly #buckets = new Map<number, number>();
  readonly #windowMs: number;
  readonly #startedMs: number;

  constructor(windowMs: number, nowMs: number) {
    this.#windowMs = windowMs;
    this.#startedMs = nowMs;
  }

  count(nowMs: number): void {
    const bucket = Math.floor(nowMs / bucketMs);
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + 1);
  }

  /** In the first window after the start, over the time that has passed. */
  perSecond(nowMs: number): number {
    const oldest = Math.floor((nowMs - this.#windowMs) / bucketMs);
    let events = 0;
    for (const [bucket, count] of this.#buckets)
      if (bucket <= oldest) this.#buckets.delete(bucket);
      else events += count;
    const seconds = Math.max(bucketMs, Math.min(this.#windowMs, nowMs - this.#startedMs)) / 1000;
    return events / seconds;
  }
}
