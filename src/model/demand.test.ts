import { describe, expect, it } from 'vitest';
import { type CountryDemand, type Demand, demandBetween, demandOfAll } from './demand.ts';

const of = (country: string, requests: number, more: Partial<CountryDemand> = {}): CountryDemand => ({
  country,
  requests,
  failures: 0,
  seconds: requests / 10,
  roundTrips: 0,
  roundTripSeconds: 0,
  ...more,
});
const demand = (toMs: number, ...countries: readonly CountryDemand[]): Demand => ({ fromMs: toMs, toMs, countries });

describe('demandBetween', () => {
  it('is what came since', () => {
    const later = demandBetween(demand(1000, of('FR', 10), of('SN', 4)), demand(2000, of('FR', 30), of('SN', 4)));
    expect(later).toEqual({ fromMs: 1000, toMs: 2000, countries: [of('FR', 20)] });
  });

  it('takes counters that began anew, and those of a country that is new, as a whole', () => {
    const later = demandBetween(demand(1000, of('FR', 10)), demand(2000, of('FR', 3), of('JP', 2)));
    expect(later.countries).toEqual([of('FR', 3), of('JP', 2)]);
  });
});

describe('demandOfAll', () => {
  it('adds the demand of several places, by country', () => {
    const [here, there] = [demand(1000, of('SN', 2), of('FR', 1, { failures: 1 })), demand(2000, of('FR', 4))];
    expect(demandOfAll([here, there])).toEqual({
      fromMs: 1000,
      toMs: 2000,
      countries: [of('FR', 5, { failures: 1, seconds: 0.5 }), of('SN', 2)],
    });
    expect(demandOfAll([])).toBeUndefined();
  });
});
