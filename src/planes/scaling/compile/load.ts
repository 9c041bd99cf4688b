import { type Answers, answersFor, preferenceOf } from '../../../answers/answers.ts';
import { ratesAmong } from '../../../model/demand-rates.ts';
import { distanceKm, locationOf } from '../../../model/geo/locations.ts';
import { isNetwork } from '../../../model/geo/networks.ts';
import { countryOfPlace } from '../../../model/geo/states.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { type Failure, regionsOf } from './failures.ts';
import type { ScalingWorld } from './world.ts';

/** Requests of the users of one place that arrive somewhere. */
export interface Arriving {
  readonly policy: string;
  readonly cluster: string;
  /** The site of the cluster to which they come; absent where they come to the whole cluster. */
  readonly site?: string;
  /** A country, a state, or `unknown`. */
  readonly place: string;
  readonly requestsPerSecond: number;
}

/**
 * Where every request arrives while something is lost, beside what is down already, when DNS has followed: by the answers of the policies, and in a cluster whose users come to one of
 * several sites at the nearest that is left. A cluster that is lost gets what the answers give it all the same, when no other is left.
 */
export function arrivingUnder(
  { platform, answers, demand, health }: ScalingWorld,
  failure: Failure,
): readonly Arriving[] {
  const lost = new Set([...failure.clusters, ...health.down]);
  return [...answers].flatMap(([policy, ofPolicy]) => {
    const share = (demand.shares.get(policy) ?? 0) * demand.factor;
    return placesOf(ofPolicy, demand).flatMap(([place, rate]) =>
      rate * share <= 0
        ? []
        : [...answersFor(preferenceOf(ofPolicy, place === unknown ? undefined : place).tiers, lost)].map(
            ([cluster, part]): Arriving => {
              const site = nearestRegion(platform, { cluster, place, failure });
              const requestsPerSecond = rate * share * part;
              return { policy, cluster, place, requestsPerSecond, ...(site === undefined ? {} : { site }) };
            },
          ),
    );
  });
}

export const unknown = 'unknown';

/** The places that a policy tells apart, with the requests of each. */
function placesOf(
  { byCountry }: Answers,
  { rates, unknownPerSecond }: ScalingWorld['demand'],
): readonly (readonly [place: string, requestsPerSecond: number])[] {
  const places = [...byCountry.keys()].filter((place) => !isNetwork(place));
  const rateOf = ratesAmong(rates, places);
  return [...places.map((place) => [place, rateOf(place)] as const), [unknown, unknownPerSecond]];
}

interface Question {
  readonly cluster: string;
  readonly place: string;
  readonly failure: Failure;
}

/** By distance from where the people of the country live; users of unknown location come to the first site that is left. */
function nearestRegion(platform: Platform, { cluster, place, failure }: Question): string | undefined {
  const regions = regionsOf(platform, cluster);
  const left = regions.filter((site) => !failure.sites.has(site));
  const from = locationOf(countryOfPlace(place));
  const distances = (left.length === 0 ? regions : left).map((name) => {
    const to = platform.sites.get(name)?.spec.location;
    return { name, km: from === undefined || to === undefined ? 0 : distanceKm(from, to) };
  });
  return distances.toSorted((a, b) => a.km - b.km)[0]?.name;
}
