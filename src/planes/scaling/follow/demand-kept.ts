import type { Measured } from '../demand.ts';

/** What was last measured of each country, which may be long ago for one whose users are led to clusters without blades now. */
export type KnownRates = ReadonlyMap<string, KnownRate>;

export interface KnownRate {
  readonly requestsPerSecond: number;
  /** In milliseconds since the epoch. */
  readonly atMs: number;
}

/** Older figures say nothing of today. */
const longestMs = 7 * 24 * 3_600_000;

/** What is known now: what was measured, and of other countries what was measured of them last. */
export function knownRates(before: KnownRates, { rates }: Pick<Measured, 'rates'>, nowMs: number): KnownRates {
  const { measuredAtMs, requestsPerSecond } = rates;
  const now = Object.entries(requestsPerSecond).map(
    ([country, rate]) => [country, { requestsPerSecond: rate, atMs: measuredAtMs }] as const,
  );
  const earlier = [...before].filter(([, { atMs }]) => nowMs - atMs <= longestMs);
  return new Map([...earlier, ...now]);
}

/**
 * The same measurement with the countries that nobody measured now. The users of a data centre that is lost go on asking, elsewhere: a demand
 * without them would be no demand to be ready for.
 */
export function withKnown(measured: Measured, known: KnownRates): Measured {
  const rates = Object.fromEntries([...known].map(([country, { requestsPerSecond }]) => [country, requestsPerSecond]));
  return {
    ...measured,
    rates: { ...measured.rates, requestsPerSecond: { ...rates, ...measured.rates.requestsPerSecond } },
  };
}

/** A clause about the countries that are known from earlier; undefined where there are none that ask anything. */
export function earlierText(known: KnownRates, { rates }: Pick<Measured, 'rates'>): string | undefined {
  const earlier = [...known].filter(
    ([country, { requestsPerSecond }]) => requestsPerSecond > 0 && !Object.hasOwn(rates.requestsPerSecond, country),
  );
  if (earlier.length === 0) return undefined;
  const names = earlier.map(([country]) => country).sort();
  const shown = `${names.slice(0, 5).join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}`;
  const oldest = Math.min(...earlier.map(([, { atMs }]) => atMs));
  return `${shown}: as measured before, the oldest at ${new Date(oldest).toISOString()}`;
}
