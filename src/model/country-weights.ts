import { countries } from './geo/countries.ts';
import { isNetwork } from './geo/networks.ts';
import { countryOfPlace, stateOf } from './geo/states.ts';

/** For how much of all traffic each country counts: of 1, together. */
export interface CountryWeights {
  /** The share of a country by its code, with all of its states, or of a state; 0 for a code that is none. */
  readonly of: (code: string) => number;
  /** What they are made of, as a clause. */
  readonly basis: string;
  /** Absent where every country counts the same. */
  readonly measured?: MeasuredRates;
}

/**
 * Requests a second by country, and by state where these were measured, as somebody measured them. A country that is absent was not
 * measured; one with 0 was, and asks nothing.
 */
export interface MeasuredRates {
  /** The end of the time in which they were measured, in milliseconds since the epoch. */
  readonly measuredAtMs: number;
  readonly requestsPerSecond: Readonly<Record<string, number>>;
  /** Of when the oldest data is by which the countries were told (RFC 3339); absent where nobody says. */
  readonly countryDataBuilt?: string | undefined;
}

/** Networks change hands: data of more than a year tells countries badly. */
const oldDays = 365;

/** Of when the data is by which countries were told, as a clause, and whether it is old. */
export function countryDataAge(built: string, atMs: number): { readonly text: string; readonly isOld: boolean } {
  const days = Math.max(0, Math.floor((atMs - Date.parse(built)) / 86_400_000));
  return { text: `countries are told by data of ${built.slice(0, 10)}, ${days} days old`, isOld: days > oldDays };
}

/** Older rates are not used: where users are changes within days (holidays, an event), seldom within hours. */
const longestMs = 7 * 24 * 3_600_000;

/** A country counts for at least this much of the average: whoever moves it needs the same words as for any other. */
const least = 0.01;

/** Every country counts the same. */
export function countedAlike(why = 'no traffic figures'): CountryWeights {
  const share = 1 / countries.length;
  const of = withStates((code) => (known.has(code) ? share : 0), {});
  return { of, basis: `${why}: every country counts the same` };
}

const known: ReadonlySet<string> = new Set(countries.map(({ code }) => code));

/**
 * The weights of places that are told apart, of 1, together: what a country counts for is without the states of it that are among them. How many
 * requests come from a network nobody measured; it counts as an average country.
 */
export function weightsAmong(weights: CountryWeights, places: readonly string[]): (place: string) => number {
  const states = Map.groupBy(
    places.filter((code) => stateOf(code) !== undefined),
    countryOfPlace,
  );
  const ofNetwork = 1 / (countries.length + places.filter(isNetwork).length);
  const ofOthers = countries.length * ofNetwork;
  return (place) => {
    if (isNetwork(place)) return ofNetwork;
    const apart = states.get(place) ?? [];
    return ofOthers * Math.max(0, weights.of(place) - apart.reduce((sum, code) => sum + weights.of(code), 0));
  };
}

/** A state counts for its part of what was measured of its country or, where nothing was, for its part of the population. */
function withStates(
  ofCountry: (code: string) => number,
  rates: MeasuredRates['requestsPerSecond'],
): (place: string) => number {
  return (place) => {
    const state = stateOf(place);
    if (state === undefined) return ofCountry(place);
    const country = countryOfPlace(place);
    const [all, own] = [rates[country], rates[place]];
    const part = all === undefined || own === undefined || all <= 0 ? state.share : Math.min(1, own / all);
    return ofCountry(country) * part;
  };
}

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
    of: withStates((code) => (known.has(code) ? rateOf(code) / total : 0), rates.requestsPerSecond),
    basis: `countries count by ${rateText(sum)} requests/s of ${measured.length} of them, measured ${ageText(ageMs)} ago${
      others === 0 ? '' : `; each of the other ${others} as their average`
    }${oldDataText(rates)}`,
    measured: rates,
  };
}

/** Only what is old is worth a word wherever countries are weighed. */
function oldDataText({ countryDataBuilt: built, measuredAtMs }: MeasuredRates): string {
  if (built === undefined) return '';
  const { text, isOld } = countryDataAge(built, measuredAtMs);
  return isOld ? `; ${text}, which is old` : '';
}

const rateText = (rate: number): string =>
  rate < 10 ? String(Math.round(rate * 100) / 100) : String(Math.round(rate));

function ageText(ageMs: number): string {
  const minutes = Math.round(ageMs / 60_000);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}
