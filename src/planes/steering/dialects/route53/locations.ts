import type { Location } from '../../../../answers/record.ts';
import { type Continent, continents, countriesOf } from '../../../../model/geo/countries.ts';
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
  readonly exceptions: ReadonlyMap<string, string>;
}

/**
 * The smallest cover that gives each country exactly its own key. Every continent takes the default that leaves the
 * fewest records; `star` is the key of unknown locations because these must be exact too.
 */
export function coverOf(keyOf: (country: string) => string, star: string): Cover {
  return { star, continents: continents.map((continent) => coverContinent(continent, keyOf, star)) };
}

function coverContinent(continent: Continent, keyOf: (country: string) => string, star: string): ContinentCover {
  const codes = countriesOf(continent).map((country) => country.code);
  const count = new Map<string, number>();
  for (const code of codes) count.set(keyOf(code), (count.get(keyOf(code)) ?? 0) + 1);
  const [favourite, favouriteCount] = [...count].sort((a, b) => b[1] - a[1] || compareText(a[0], b[0]))[0] ?? [star, 0];
  const base = favouriteCount > (count.get(star) ?? 0) + 1 ? favourite : star;
  const exceptions = new Map(codes.filter((code) => keyOf(code) !== base).map((code) => [code, keyOf(code)]));
  return { continent, base: base === star ? undefined : base, exceptions };
}

/** The records of one flat geolocation group. */
export function flatten(cover: Cover): readonly (readonly [Location, string])[] {
  return [...cover.continents.flatMap(flattenContinent), ['*', cover.star]];
}

export function flattenContinent(cover: ContinentCover): readonly (readonly [Location, string])[] {
  const base: readonly (readonly [Location, string])[] =
    cover.base === undefined ? [] : [[{ continent: cover.continent }, cover.base]];
  return [...base, ...[...cover.exceptions].map(([country, key]) => [{ country }, key] as const)];
}
