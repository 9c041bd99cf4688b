/** The rule for how long to wait after failures in a row. */
export interface BackoffOptions {
  /** The wait after the first failure, in ms; each further failure in a row doubles it. */
  readonly firstMs: number;
  /** The wait, before jitter is applied, never grows beyond this. When it equals `firstMs`, all waits are equal. */
  readonly ceilingMs: number;
  /**
   * The wait is multiplied by a number drawn between these two, so that a thousand agents that failed together do not come
   * back together. `[0, 1]` spreads them most, `[0.5, 1]` keeps at least half of the wait. Default `[1, 1]`, which is no jitter.
   */
  readonly jitter?: readonly [number, number];
  /** A wait that the other side asked for (Retry-After) is obeyed up to this length. Default: without a limit. */
  readonly longestAskedMs?: number;
  /**
   * Lengthens the wait that was asked for at random, by up to this part of it, because every client is asked for the same.
   * Default 0.
   */
  readonly askedSpread?: number;
}

/** The inputs that change from one failure to the next. */
export interface BackoffMoment {
  /** A random number in [0, 1). Without it the wait is the longest that `jitter` allows. */
  readonly random?: () => number;
  /** The wait that the other side asked for with its refusal (Retry-After): ours is never shorter. */
  readonly retryAfterMs?: number | undefined;
}

/**
 * How long to wait, in whole ms, after this many failures in a row (from 1; 0 counts as 1). Pure.
 *
 * With `firstMs` 100, `ceilingMs` 1000 and `jitter` [0.5, 1] the fourth failure in a row gives 100 · 2³ = 800 ms, so a wait between
 * 400 and 800 ms; the fifth would give 1600, so it and all that follow wait between 500 and 1000 ms. If the other side asked
 * for 2000 ms, each of these waits would be 2000 ms.
 */
export function backoffMs(failures: number, options: BackoffOptions, moment: BackoffMoment = {}): number {
  const { firstMs, ceilingMs, jitter: [least, most] = [1, 1], longestAskedMs = Infinity, askedSpread = 0 } = options;
  const { random, retryAfterMs } = moment;
  const grownMs = Math.min(ceilingMs, firstMs * 2 ** Math.min(Math.max(0, failures - 1), 40));
  const ownMs = Math.round(grownMs * (random === undefined ? most : least + (most - least) * random()));
  if (retryAfterMs === undefined) return ownMs;
  const askedMs = Math.min(retryAfterMs, longestAskedMs);
  return Math.max(ownMs, Math.round(askedMs * (1 + askedSpread * (random === undefined ? 1 : random()))));
}
