import type { Clock } from '../../../../src/runtime/clock.ts';

/** A token bucket: it holds at most `burst` tokens and gains `perSecond` tokens a second. */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #burst: number;
  readonly #perSecond: number;
  #tokens: number;
  #at: number;

  constructor(clock: Clock, burst: number, perSecond: number) {
    this.#clock = clock;
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#tokens = burst;
    this.#at = clock.monotonic();
  }

  /** Takes one token; false when there is none. */
  take(): boolean {
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#at) / 1000) * this.#perSecond);
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

/** Route 53's published buckets of single actions, `[burst, per second]`; all other actions have 50 and 10. */
const actionBuckets: Readonly<Record<string, readonly [number, number]>> = {
  CreateHealthCheck: [50, 0.5],
  DeleteHealthCheck: [15, 3],
  GetHealthCheckStatus: [4, 1],
  CreateHostedZone: [40, 2],
};

/** Holds the account's bucket and one for each action; a request needs a token of both. */
export class RateLimiter {
  readonly #clock: Clock;
  readonly #account: TokenBucket | undefined;
  readonly #actions = new Map<string, TokenBucket>();

  /** With `perSecond` 0 there are no limits at all. */
  constructor(clock: Clock, perSecond: number, burst: number) {
    this.#clock = clock;
    this.#account = perSecond === 0 ? undefined : new TokenBucket(clock, burst, perSecond);
  }

  allows(action: string): boolean {
    if (this.#account === undefined) return true;
    let bucket = this.#actions.get(action);
    if (bucket === undefined) {
      bucket = new TokenBucket(this.#clock, ...(actionBuckets[action] ?? [50, 10]));
      this.#actions.set(action, bucket);
    }
    return this.#account.take() && bucket.take();
  }
}
