import type { Measured } from '../demand.ts';

/** What is believed of each country: what was measured last, or what was measured before where the last figure cannot be whole. */
export type KnownRates = ReadonlyMap<string, KnownRate>;

export interface KnownRate {
  readonly requestsPerSecond: number;
  /** When so much was measured, in milliseconds since the epoch. */
  readonly atMs: number;
}

export interface Believing {
  readonly nowMs: number;
  /** Whether some of a country's requests may not have been counted: a blade there is silent, or its cluster does not answer health checks. */
  readonly isPartial: (country: string) => boolean;
}

/** Older figures say nothing of today. */
const longestMs = 7 * 24 * 3_600_000;
/** A country that asks less than this part of what it did just now is not believed for an hour: its users may be cut off, or a counter broken. */
const suddenly = 0.5;
const suddenMs = 3_600_000;
/** Of all requests; of smaller countries half comes and goes by chance. */
const largeShare = 0.02;

/**
 * What is believed after one more measurement. The users of a data centre that is lost go on asking, elsewhere, where nobody counts them: of a country
 * that was not measured, or not whole, stands what was measured before, for a week. What falls suddenly is believed after an hour.
 */
export function knownRates(
  before: KnownRates,
  { rates: { measuredAtMs, requestsPerSecond } }: Pick<Measured, 'rates'>,
  { nowMs, isPartial }: Believing,
): { readonly rates: KnownRates; readonly sudden: readonly string[] } {
  const earlier = new Map([...before].filter(([, { atMs }]) => nowMs - atMs <= longestMs));
  const sum = [...earlier.values()].reduce((total, one) => total + one.requestsPerSecond, 0);
  const sudden: string[] = [];
  const now = Object.entries(requestsPerSecond).map(([country, rate]): [string, KnownRate] => {
    const known = earlier.get(country);
    const measured = { requestsPerSecond: rate, atMs: measuredAtMs };
    if (known === undefined || rate >= known.requestsPerSecond) return [country, measured];
    if (isPartial(country)) return [country, known];
    const isLarge = known.requestsPerSecond >= largeShare * sum;
    if (!isLarge || rate >= suddenly * known.requestsPerSecond || nowMs - known.atMs >= suddenMs)
      return [country, measured];
    sudden.push(country);
    return [country, known];
  });
  return { rates: new Map([...earlier, ...now]), sudden };
}

/** The measurement with what is believed in place of what was counted. */
export function withKnown(measured: Measured, known: KnownRates): Measured {
  const rates = Object.fromEntries([...known].map(([country, { requestsPerSecond }]) => [country, requestsPerSecond]));
  return { ...measured, rates: { ...measured.rates, requestsPerSecond: rates } };
}

/** A clause about the countries that are known from earlier; undefined where there are none that ask anything. */
export function earlierText(known: KnownRates, { rates }: Pick<Measured, 'rates'>): string | undefined {
  const earlier = [...known].filter(
    ([country, { requestsPerSecond }]) => requestsPerSecond > (rates.requestsPerSecond[country] ?? 0),
  );
  if (earlier.length === 0) return undefined;
  const oldest = Math.min(...earlier.map(([, { atMs }]) => atMs));
  return `${namesOf(earlier.map(([country]) => country))}: as measured before, the oldest at ${new Date(oldest).toISOString()}`;
}

/** Five names at most, and how many more there are. */
export function namesOf(names: readonly string[]): string {
  const sorted = names.toSorted();
  return `${sorted.slice(0, 5).join(', ')}${sorted.length > 5 ? ` and ${sorted.length - 5} more` : ''}`;
}
