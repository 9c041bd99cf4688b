/** The middle value, or the mean of the two middle ones. Throws a RangeError for no values. */
export function median(values: readonly number[]): number {
  const sorted = sort(values);
  const middle = Math.floor(sorted.length / 2);
  const [below, above] = [sorted[middle - 1], sorted[middle]];
  if (above === undefined) throw new RangeError('the median of nothing');
  return sorted.length % 2 === 1 || below === undefined ? above : (below + above) / 2;
}

/** A percentile by nearest rank: the smallest value that at least `share` (0 to 1) of all values do not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const value = sort(values)[Math.max(0, Math.ceil(share * values.length) - 1)];
  if (value === undefined) throw new RangeError('a percentile of nothing');
  return value;
}

/** The median of the ratios of runs that were made one after the other, in which disturbances of both runs cancel out. */
export function pairedRatio(ours: readonly number[], peers: readonly number[]): number {
  if (ours.length !== peers.length) throw new RangeError(`${ours.length} runs beside ${peers.length}`);
  return median(ours.map((value, index) => value / (peers[index] ?? Number.NaN)));
}

/**
 * An interval that holds the true median with a probability of at least 95 %, whatever the distribution: two values that lie 0.98 √n
 * places from the middle of the sorted ones (the normal approximation of the binomial distribution).
 */
export function medianInterval(values: readonly number[]): readonly [low: number, high: number] {
  const sorted = sort(values);
  const reach = 0.98 * Math.sqrt(sorted.length);
  const low = sorted[Math.max(0, Math.floor(sorted.length / 2 - reach))];
  const high = sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length / 2 + reach))];
  if (low === undefined || high === undefined) throw new RangeError('the median of nothing');
  return [low, high];
}

function sort(values: readonly number[]): readonly number[] {
  return values.toSorted((a, b) => a - b);
}
