import { type CountryDemand, type Demand, demandBetween, demandOfAll } from '../../../model/demand.ts';
import { compareText } from '../../../model/values.ts';
import type { RequestCounts } from './counts.ts';

/** Demand is told of the last hour, which is kept in parts of a minute. */
const windowMs = 3_600_000;
const partMs = 60_000;

/** What was measured in the last hour. An agent that starts knows nothing of the time before. */
export class DemandWindow {
  #parts: readonly Demand[] = [];
  #last: Demand | undefined;
  #grown: Demand | undefined;

  /** Takes a reading of the counters. */
  read(counts: RequestCounts, dateMs: number): void {
    const reading = readingOf(counts, dateMs);
    const last = this.#last;
    this.#last = reading;
    if (last === undefined) return;
    const grown = demandBetween(last, reading);
    this.#grown = grown;
    const current = this.#parts.at(-1);
    const open = current !== undefined && dateMs - current.fromMs <= partMs;
    const together = open ? demandOfAll([current, grown]) : grown;
    const parts = [...(open ? this.#parts.slice(0, -1) : this.#parts), together ?? grown];
    this.#parts = parts.filter(({ toMs }) => dateMs - toMs < windowMs);
  }

  /** Between the last two readings; undefined before there are two. */
  get requestsPerSecond(): number | undefined {
    if (this.#grown === undefined) return undefined;
    const { fromMs, toMs, countries } = this.#grown;
    const requests = countries.reduce((sum, country) => sum + country.requests, 0);
    return toMs > fromMs ? (1000 * requests) / (toMs - fromMs) : undefined;
  }

  /** Undefined before two readings. */
  get demand(): Demand | undefined {
    return demandOfAll(this.#parts);
  }
}

function readingOf({ countries }: RequestCounts, dateMs: number): Demand {
  const of = [...countries].map(
    ([country, { requests, failures, whole, roundTrips }]): CountryDemand => ({
      country,
      requests,
      failures,
      seconds: whole.sumSeconds,
      roundTrips: roundTrips.buckets.reduce((sum, count) => sum + count, 0),
      roundTripSeconds: roundTrips.sumSeconds,
    }),
  );
  return { fromMs: dateMs, toMs: dateMs, countries: of.toSorted((a, b) => compareText(a.country, b.country)) };
}
