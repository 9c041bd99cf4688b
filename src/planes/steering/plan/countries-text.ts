import { type Continent, continentOf, continents, countriesOf } from '../../../model/geo/countries.ts';

/** Whole continents by their code, the rest by country: `NA (all 41), FR, GB`. '' stands for unknown locations. */
export function formatCountries(codes: readonly string[]): string {
  const set = new Set(codes);
  const whole = continents.filter((continent) => countriesOf(continent).every(({ code }) => set.has(code)));
  const loose = codes
    .filter((code) => !whole.includes(continentOf(code) as Continent))
    .map((code) => (code === '' ? 'users of unknown location' : code));
  const shown = loose.length > 14 ? [...loose.slice(0, 12), `and ${loose.length - 12} more`] : loose;
  return [...whole.map((continent) => `${continent} (all ${countriesOf(continent).length})`), ...shown].join(', ');
}
