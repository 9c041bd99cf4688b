/**
 * Who asks how much from where: what the edge measured of the requests of each country. Steering may weigh countries by it, which would
 * otherwise count the same.
 */
export interface Demand {
  /** The time in which it was measured, in milliseconds since the epoch. */
  readonly fromMs: number;
  readonly toMs: number;
  /** By country, each at most once. */
  readonly countries: readonly CountryDemand[];
}

export interface CountryDemand {
  /** ISO 3166-1 alpha-2, or `unknown`. */
  readonly country: string;
  readonly requests: number;
  /** Requests that were answered with 500 and more. */
  readonly failures: number;
  /** How long the requests took in all, from their head to the end of the answer. */
  readonly seconds: number;
  /** Round-trip times of connections that were taken, and their sum. Those of proxies are none of a client's and are left out. */
  readonly roundTrips: number;
  readonly roundTripSeconds: number;
}

/** How many requests came in the last minute. */
export interface LastMinute {
  /** The time in which they were counted, in milliseconds since the epoch. */
  readonly fromMs: number;
  readonly toMs: number;
  /** By ISO 3166-1 alpha-2, or `unknown`. */
  readonly countries: Readonly<Record<string, number>>;
  /** By the names that the table has; `(other)` are hosts that are not counted one by one, `(none)` those that nobody has. */
  readonly hosts: Readonly<Record<string, number>>;
}

/** What a blade says of the requests that it counted. */
export interface DemandView {
  /** What the clients of each country asked in the last hour; absent while nothing was measured, and from older agents. */
  readonly demand?: Demand;
  /** The same of the last minute, in requests only, and by host; absent before two readings, and from older agents. */
  readonly lastMinute?: LastMinute;
  /** Requests a second, measured over the last five seconds or so; absent before that, and from older agents. */
  readonly requestsPerSecond?: number;
  /** `ready` when nginx knows the countries of addresses, else why it does not. */
  readonly countryData?: string;
  /** When that data was made, an ISO date; absent where it does not say, and from older agents. */
  readonly countryDataBuilt?: string;
}

const figures = ['requests', 'failures', 'seconds', 'roundTrips', 'roundTripSeconds'] as const;

/** What was counted between two readings of counters. A counter that fell began anew in between, so all of it came since. */
export function demandBetween(before: Demand, after: Demand): Demand {
  const known = byCountry(before);
  const countries = after.countries.flatMap((one) => {
    const earlier = known.get(one.country);
    const anew = earlier === undefined || earlier.requests > one.requests;
    const grown = anew ? one : combine(one, earlier, (now, then) => Math.max(0, now - then));
    return grown.requests > 0 || grown.roundTrips > 0 ? [grown] : [];
  });
  return { fromMs: before.toMs, toMs: after.toMs, countries };
}

/** The demand of several places together, from the first time to the last. Undefined when there is none. */
export function demandOfAll(demands: readonly Demand[]): Demand | undefined {
  if (demands.length === 0) return undefined;
  const sums = new Map<string, CountryDemand>();
  for (const one of demands.flatMap(({ countries }) => countries)) {
    const known = sums.get(one.country);
    sums.set(one.country, known === undefined ? one : combine(known, one, (a, b) => a + b));
  }
  return {
    fromMs: Math.min(...demands.map(({ fromMs }) => fromMs)),
    toMs: Math.max(...demands.map(({ toMs }) => toMs)),
    countries: [...sums.values()].toSorted((a, b) => (a.country < b.country ? -1 : 1)),
  };
}

function byCountry({ countries }: Demand): ReadonlyMap<string, CountryDemand> {
  return new Map(countries.map((one) => [one.country, one]));
}

function combine(a: CountryDemand, b: CountryDemand, how: (a: number, b: number) => number): CountryDemand {
  const combined = { ...a };
  return Object.assign(combined, Object.fromEntries(figures.map((figure) => [figure, how(a[figure], b[figure])])));
}
