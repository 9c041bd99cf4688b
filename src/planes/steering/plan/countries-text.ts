import { type Continent, continentOf, continents, countriesOf } from '../../../model/geo/countries.ts';
import { countryOfPlace, stateOf } from '../../../model/geo/states.ts';

/**
 * Whole continents by their code, the rest by country or state: `NA (all 41), FR, GB`. '' stands for unknown locations. A state is named where
 * its country is not.
 */
export function formatCountries(codes: readonly string[]): string {
  const set = new Set(codes);
  const whole = continents.filter((continent) => countriesOf(continent).every(({ code }) => set.has(code)));
  const loose = codes
    .filter((code) => stateOf(code) === undefined || !set.has(countryOfPlace(code)))
    .filter((code) => !whole.includes(continentOf(code) as Continent))
    .map((code) => (code === '' ? 'users of unknown location' : code));
  const shown = loose.length > 14 ? [...loose.slice(0, 12), `and ${loose.length - 12} more`] : loose;
  return [...whole.map((continent) => `${continent} (all ${countriesOf(continent).length})`), ...shown].join(', ');
}
