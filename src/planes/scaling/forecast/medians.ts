/** The median of the numbers among values; NaN where there is none. */
export function median(values: ArrayLike<number>): number {
  const sorted = values.length > fewValues ? manySorted(values) : fewSorted(values);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2;
}

/** Up to so many values are sorted faster one by one, and most medians are of a value a day. */
const fewValues = 40;

function fewSorted(values: ArrayLike<number>): readonly number[] {
  const sorted: number[] = [];
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index] ?? Number.NaN;
    if (Number.isNaN(value)) continue;
    let at = sorted.length;
    sorted.push(value);
    for (; at > 0 && (sorted[at - 1] ?? 0) > value; at -= 1) sorted[at] = sorted[at - 1] ?? 0;
    sorted[at] = value;
  }
  return sorted;
}

function manySorted(values: ArrayLike<number>): Float64Array {
  const sorted = new Float64Array(values).sort();
  // What is no number is last.
  const end = sorted.findLastIndex((value) => !Number.isNaN(value)) + 1;
  return sorted.subarray(0, end);
}

/**
 * The value that at most a share of `1 - quantile` of further values of the same kind exceeds: with n values, the one of rank
 * ⌈(n + 1) · quantile⌉, or the greatest. NaN where there is none.
 */
export function upperQuantile(values: readonly number[], quantile: number): number {
  const sorted = Float64Array.from(values).sort();
  const rank = Math.min(sorted.length, Math.max(1, Math.ceil((sorted.length + 1) * quantile)));
  return sorted[rank - 1] ?? Number.NaN;
}

/** Two factors that differ by less than this, as a logarithm, say the same. */
const agreeing = 0.15;

/**
 * The factor, around 1, on which several days agree. One odd day must not decide: of three and more the median; of two that differ the one
 * nearer to 1; of a single one only half of it.
 */
export function agreed(factors: readonly number[]): number {
  const logs = factors.filter((factor) => factor > 0 && Number.isFinite(factor)).map(Math.log);
  const [first, second] = logs;
  if (first === undefined) return 1;
  if (second === undefined) return Math.exp(first / 2);
  if (logs.length > 2) return Math.exp(median(logs));
  if (Math.abs(first - second) < agreeing) return Math.exp((first + second) / 2);
  return first * second < 0 ? 1 : Math.exp(Math.abs(first) < Math.abs(second) ? first : second);
}
