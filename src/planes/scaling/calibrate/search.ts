/** What came of a while at one rate. */
export interface Trial {
  /** Requests a second that were to be sent. */
  readonly rate: number;
  readonly sent: number;
  /** Requests without an answer in time, or with one of 500 and more, or 429. */
  readonly failed: number;
  /** Milliseconds that 95 of 100 answers took at most; absent without any answer. */
  readonly p95Ms?: number;
  /** True where this machine could not send as fast as it should have. */
  readonly isLate: boolean;
}

/** What a replica has to do to count as one that serves. */
export interface Bounds {
  readonly p95Ms: number;
  /** The share of requests that may fail. */
  readonly failures: number;
}

/** Whether a replica served at this rate. */
export function isServed({ sent, failed, p95Ms }: Trial, bounds: Bounds): boolean {
  return sent > 0 && failed <= bounds.failures * sent && p95Ms !== undefined && p95Ms <= bounds.p95Ms;
}

/** The search is over when the rate that fails is so much more than the one that is served. */
const precision = 1.1;

/** What to try next; `best` when nothing is left to try, with why it is no more. */
export type Next =
  | { readonly rate: number }
  | { readonly best: number; readonly why: 'replica' | 'most' | 'machine' | 'nothing' };

/** The rates to try, by what came of those before: twice as much as long as it is served, then between what was and what was not. */
export function nextRate(
  trials: readonly Trial[],
  { first, most, bounds }: { readonly first: number; readonly most: number; readonly bounds: Bounds },
): Next {
  const served = trials.filter((trial) => isServed(trial, bounds) && !trial.isLate).map(({ rate }) => rate);
  const best = Math.max(0, ...served);
  // What fails below a rate that was served failed by chance.
  const failed = trials.filter((trial) => !isServed(trial, bounds) && !trial.isLate && trial.rate > best);
  const late = trials.filter(({ isLate, rate }) => isLate && rate > best);
  const above = Math.min(...[...failed, ...late].map(({ rate }) => rate));
  if (best === 0 && trials.length > 0)
    return failed.length + late.length > 0 ? lower(above, late.length > 0) : { rate: first };
  if (best >= most) return { best: most, why: 'most' };
  if (above === Number.POSITIVE_INFINITY) return { rate: Math.min(most, best === 0 ? first : best * 2) };
  if (above / best <= precision) return { best, why: late.some(({ rate }) => rate === above) ? 'machine' : 'replica' };
  return { rate: Math.sqrt(above * best) };
}

/** The first rate was too much already. */
function lower(above: number, isLate: boolean): Next {
  return above <= 0.1 || isLate ? { best: 0, why: isLate ? 'machine' : 'nothing' } : { rate: above / 4 };
}
