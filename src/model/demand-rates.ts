import type { MeasuredRates } from './country-weights.ts';
import { countryOfPlace, stateOf } from './geo/states.ts';

/**
 * Requests a second of each of the places that are told apart, of what was measured; a place that nobody measured asks nothing. A country is
 * without the states of it that are among the places. A state that was not measured has its part of the population. A network has nothing of its own,
 * because its users were counted with their country.
 */
export function ratesAmong({ requestsPerSecond }: MeasuredRates, places: readonly string[]): (place: string) => number {
  const measuredStates = Map.groupBy(
    Object.keys(requestsPerSecond).filter((code) => stateOf(code) !== undefined),
    countryOfPlace,
  );
  // A country asks at least for what its states ask.
  const ofCountry = (code: string): number =>
    Math.max(
      requestsPerSecond[code] ?? 0,
      (measuredStates.get(code) ?? []).reduce((sum, state) => sum + (requestsPerSecond[state] ?? 0), 0),
    );
  const ofState = (code: string): number =>
    requestsPerSecond[code] ?? ofCountry(countryOfPlace(code)) * (stateOf(code)?.share ?? 0);
  const states = Map.groupBy(
    places.filter((code) => stateOf(code) !== undefined),
    countryOfPlace,
  );
  return (place) => {
    if (stateOf(place) !== undefined) return ofState(place);
    const apart = (states.get(place) ?? []).reduce((sum, code) => sum + ofState(code), 0);
    return Math.max(0, ofCountry(place) - apart);
  };
}
