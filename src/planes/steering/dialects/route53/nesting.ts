import { type Continent, countriesOf } from '../../../../model/geo/countries.ts';
import { compareText } from '../../../../model/values.ts';
import { type ContinentCover, type Cover, flattenContinent, placesApart } from './locations.ts';

/** What a cover becomes when it has more locations than one group may hold: some continents get a group of their own, one level deeper. */
export interface Nesting {
  readonly nested: ReadonlySet<Continent>;
  /** Countries of these continents that keep records of their own on the host, with their states, and so the depth of all others. */
  readonly kept: ReadonlySet<string>;
}

/**
 * The nesting that loses least. `lossOf` says how much the users of a country or state lose when they are answered one level deeper (0: nothing).
 * Every set of continents is tried: there are 128. What room the continents leave is given to the countries that would lose most a record.
 */
export function nestingOf(cover: Cover, room: number, lossOf: (country: string) => number): Nesting {
  if (sizeOf(cover.continents) + 1 <= room) return { nested: new Set(), kept: new Set() };
  const candidates = subsetsOf(cover.continents).flatMap((parts) => nestingWith(cover, parts, room, lossOf) ?? []);
  const [best] = candidates.toSorted((a, b) => a.loss - b.loss || a.nested.size - b.nested.size);
  return best ?? { nested: new Set(cover.continents.map(({ continent }) => continent)), kept: new Set() };
}

/** Undefined when the host would still have too many records. */
function nestingWith(
  cover: Cover,
  parts: readonly ContinentCover[],
  room: number,
  lossOf: (country: string) => number,
): (Nesting & { readonly loss: number }) | undefined {
  const nested = new Set(parts.map(({ continent }) => continent));
  const flat = cover.continents.filter(({ continent }) => !nested.has(continent));
  const left = room - 1 - nested.size - sizeOf(flat);
  if (left < 0) return undefined;
  const losing = parts
    .flatMap((part) =>
      countriesOf(part.continent).map(({ code }) => {
        const places = placesApart(part, code);
        return { code, records: places.length, loss: places.reduce((sum, place) => sum + lossOf(place), 0) };
      }),
    )
    .filter(({ loss }) => loss > 0)
    .sort((a, b) => b.loss / b.records - a.loss / a.records || compareText(a.code, b.code));
  const kept = new Set<string>();
  let [free, lost] = [left, 0];
  for (const { code, records, loss } of losing) {
    if (records > free) lost += loss;
    else {
      kept.add(code);
      free -= records;
    }
  }
  return { nested, kept, loss: lost };
}

function sizeOf(parts: readonly ContinentCover[]): number {
  return parts.reduce((sum, part) => sum + flattenContinent(part).length, 0);
}

function subsetsOf<T>(list: readonly T[]): readonly (readonly T[])[] {
  return Array.from({ length: 2 ** list.length }, (_, bits) => list.filter((_one, index) => (bits >> index) & 1));
}
