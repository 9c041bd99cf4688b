import { countries } from './geo/countries.ts';

/** For how much of all traffic each country counts: of 1, together. */
export interface CountryWeights {
  /** The share of a country by its code; 0 for a code that is none. */
  readonly of: (code: string) => number;
  /** What they are made of, as a clause. */
  readonly basis: string;
  /** Absent where every country counts the same. */
  readonly measured?: MeasuredRates;
}

/** Requests a second by country, as somebody measured them. A country that is absent was not measured; one with 0 was, and asks nothing. */
export interface MeasuredRates {
  /** The end of the time in which they were measured, in milliseconds since the epoch. */
  readonly measuredAtMs: number;
  readonly requestsPerSecond: Readonly<Record<string, number>>;
}

/** Older rates are not used: where users are changes within days (holidays, an event), seldom within hours. */
const longestMs = 7 * 24 * 3_600_000;

/** A country counts for at least this much of the average: whoever moves it needs the same words as for any other. */
const least = 0.01;

/** Every country counts the same. */
export function countedAlike(why = 'no traffic figures'): CountryWeights {
  const share = 1 / countries.length;
  return { of: (code) => (known.has(code) ? share : 0), basis: `${why}: every country counts the same` };
}

const known: ReadonlySet<string> = new Set(countries.map(({ code }) => code));

/**
 * The weights that measured rates make at `nowMs`. A country that was not measured counts as the average of those that were. Rates that are too
 * old, or lack every request, are not used.
 */
export function weightsOf(rates: MeasuredRates, nowMs: number): CountryWeights {
  const ageMs = Math.max(0, nowMs - rates.measuredAtMs);
  if (ageMs > longestMs) return countedAlike(`traffic was measured ${ageText(ageMs)} ago, which is too long`);
  const measured = countries.flatMap(({ code }) => rates.requestsPerSecond[code] ?? []);
  const sum = measured.reduce((total, rate) => total + rate, 0);
  if (sum <= 0) return countedAlike('nothing was measured');
  const average = sum / measured.length;
  const rateOf = (code: string): number => Math.max(rates.requestsPerSecond[code] ?? average, least * average);
  const total = countries.reduce((so, { code }) => so + rateOf(code), 0);
  const others = countries.length - measured.length;
  return {
    of: (code) => (known.has(code) ? rateOf(code) / total : 0),
    basis: `countries count by ${rateText(sum)} requests/s of ${measured.length} of them, measured ${ageText(ageMs)} ago${
      others === 0 ? '' : `; each of the other ${others} as their average`
    }`,
    measured: rates,
  };
}

const rateText = (rate: number): string =>
  rate < 10 ? String(Math.round(rate * 100) / 100) : String(Math.round(rate));

function ageText(ageMs: number): string {
  const minutes = Math.round(ageMs / 60_000);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}
