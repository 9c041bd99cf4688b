import { z } from 'zod';
import { withoutUndefined } from '../../../model/values.ts';

/** What nginx counted of requests since it started. `lua/measure.lua` counts, and has the same bounds and places. */
export interface RequestCounts {
  /** By name of the host in the table; `(other)` are those of hosts that are not measured one by one, `(none)` those that no host takes. */
  readonly hosts: ReadonlyMap<string, HostCounts>;
  /** By the country of the client; `unknown` where nobody announces its address or there is no data. */
  readonly countries: ReadonlyMap<string, CountryCounts>;
  /** Round-trip times that were not taken, because a trusted proxy was at the other end. */
  readonly roundTripsLeftOut: number;
  /** Requests that have no line in the access log, because it is a sample or off. */
  readonly linesLeftOut: number;
  /** `ready`, or why no country is known. */
  readonly countryData: string;
  /** When that data was made, in seconds since the epoch; absent where it does not say. */
  readonly countryDataBuilt?: number;
}

/** A histogram in seconds: counts by place, the last one of what is beyond every bound. */
export interface Times {
  readonly buckets: readonly number[];
  readonly sumSeconds: number;
}

export interface HostCounts {
  readonly requests: number;
  /** By class of status: `1xx` to `5xx`, and `none` for requests that ended without an answer. */
  readonly statuses: ReadonlyMap<string, number>;
  /** Requests that the edge answered itself, or whose answer it refused, by reason. */
  readonly reasons: ReadonlyMap<string, number>;
  /** From the request's head to the end of the answer. Upgraded connections are left out. */
  readonly whole: Times;
  /** From the first try to reach a pod to the head of the answer, also when the edge itself gave it in the end. */
  readonly pod: Times;
}

export interface CountryCounts {
  readonly requests: number;
  /** Those that were answered with 500 and more. */
  readonly failures: number;
  readonly whole: Times;
  /** The kernel's round-trip times of the connections of one request in sixteen. */
  readonly roundTrips: Times;
}

/** The bounds of the histograms, in milliseconds. */
export const requestBounds = {
  latency: [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000],
  countryLatency: [50, 100, 250, 500, 1000, 2500],
  roundTrip: [5, 10, 20, 50, 100, 200, 400],
} as const;

/** How many hosts are measured one by one. */
export const mostMeasuredHosts = 200;

const statusClasses = ['1xx', '2xx', '3xx', '4xx', '5xx', 'none'] as const;

const Numbers = z.array(z.number());
// cjson writes an empty table as an object, whatever it was.
const mapOf = <T extends z.ZodType>(value: T) => z.record(z.string(), value);
const Answer = z.object({
  hosts: mapOf(z.object({ counts: Numbers, reasons: mapOf(z.number()) })),
  countries: mapOf(Numbers),
  leftOut: z.number(),
  linesLeftOut: z.number().default(0),
  countryData: z.string(),
  countryDataBuilt: z.number().optional(),
});

/** Reads the answer of nginx; throws for another shape. */
export function readCounts(answer: unknown): RequestCounts {
  const { hosts, countries, leftOut, linesLeftOut, countryData, countryDataBuilt } = Answer.parse(answer);
  return {
    hosts: new Map(Object.entries(hosts).map(([name, { counts, reasons }]) => [name, hostCounts(counts, reasons)])),
    countries: new Map(Object.entries(countries).map(([code, counts]) => [code, countryCounts(counts)])),
    roundTripsLeftOut: leftOut,
    linesLeftOut,
    countryData,
    ...withoutUndefined({ countryDataBuilt }),
  };
}

function hostCounts(counts: readonly number[], reasons: Readonly<Record<string, number>>): HostCounts {
  const whole = 1 + statusClasses.length;
  const pod = whole + timesLength(requestBounds.latency);
  return {
    requests: counts[0] ?? 0,
    statuses: new Map(statusClasses.map((name, index) => [name, counts[1 + index] ?? 0])),
    reasons: new Map(Object.entries(reasons)),
    whole: times(counts, whole, requestBounds.latency),
    pod: times(counts, pod, requestBounds.latency),
  };
}

function countryCounts(counts: readonly number[]): CountryCounts {
  const trips = 2 + timesLength(requestBounds.countryLatency);
  return {
    requests: counts[0] ?? 0,
    failures: counts[1] ?? 0,
    whole: times(counts, 2, requestBounds.countryLatency),
    roundTrips: times(counts, trips, requestBounds.roundTrip),
  };
}

/** A sum, a count for each bound, and one for what is beyond. */
function timesLength(bounds: readonly number[]): number {
  return bounds.length + 2;
}

function times(counts: readonly number[], at: number, bounds: readonly number[]): Times {
  return {
    sumSeconds: (counts[at] ?? 0) / 1000,
    buckets: Array.from({ length: bounds.length + 1 }, (_, place) => counts[at + 1 + place] ?? 0),
  };
}
