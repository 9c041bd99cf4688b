import type { Location } from '../../../../answers/record.ts';
import { type Continent, continents, countriesOf } from '../../../../model/geo/countries.ts';
import { countryOfPlace, stateOf } from '../../../../model/geo/states.ts';
import { compareText } from '../../../../model/values.ts';

/** Geolocation records that cover the world: of those that match a user, the most specific one decides. */
export interface Cover {
  /** The key for everywhere else and for unknown locations. */
  readonly star: string;
  readonly continents: readonly ContinentCover[];
}

export interface ContinentCover {
  readonly continent: Continent;
  /** The key that the continent's countries have by default; undefined when that is `star`. */
  readonly base: string | undefined;
  /** By the code of a country or state; a country whose states differ from it is always there. */
  readonly exceptions: ReadonlyMap<string, string>;
}

/**
 * The smallest cover that gives each country, and each of these states, exactly its own key. Every continent takes the default that
 * leaves the fewest records; `star` is the key of unknown locations because these must be exact too. A state has a record when its key is
 * not its country's, and then its country has one as well: users of the country whose state is not known are led by that.
 */
export function coverOf(keyOf: (place: string) => string, star: string, states: readonly string[] = []): Cover {
  const apart = states.filter((code) => keyOf(code) !== keyOf(countryOfPlace(code)));
  return { star, continents: continents.map((continent) => coverContinent(continent, keyOf, star, apart)) };
}

function coverContinent(
  continent: Continent,
  keyOf: (place: string) => string,
  star: string,
  states: readonly string[],
): ContinentCover {
  const codes = countriesOf(continent).map((country) => country.code);
  const divided = new Set(states.map(countryOfPlace));
  const count = new Map<string, number>();
  for (const code of codes) if (!divided.has(code)) count.set(keyOf(code), (count.get(keyOf(code)) ?? 0) + 1);
  const [favourite, favouriteCount] = [...count].sort((a, b) => b[1] - a[1] || compareText(a[0], b[0]))[0] ?? [star, 0];
  const base = favouriteCount > (count.get(star) ?? 0) + 1 ? favourite : star;
  const exceptions = codes
    .filter((code) => divided.has(code) || keyOf(code) !== base)
    .flatMap((code) => [code, ...states.filter((state) => countryOfPlace(state) === code)]);
  return {
    continent,
    base: base === star ? undefined : base,
    exceptions: new Map(exceptions.map((code) => [code, keyOf(code)])),
  };
}

/** The records of one flat geolocation group. */
export function flatten(cover: Cover): readonly (readonly [Location, string])[] {
  return [...cover.continents.flatMap(flattenContinent), ['*', cover.star]];
}

export function flattenContinent(cover: ContinentCover): readonly (readonly [Location, string])[] {
  const base: readonly (readonly [Location, string])[] =
    cover.base === undefined ? [] : [[{ continent: cover.continent }, cover.base]];
  return [...base, ...[...cover.exceptions].map(([code, key]) => [locationOf(code), key] as const)];
}

/** The places of a country that have records of their own where it has: itself, then its states. */
export function placesApart({ exceptions }: ContinentCover, country: string): readonly string[] {
  return [country, ...[...exceptions.keys()].filter((code) => code !== country && countryOfPlace(code) === country)];
}

export function locationOf(code: string): Location {
  return stateOf(code) === undefined ? { country: code } : { state: code };
}
