import type { LastMinute } from '../../../model/demand.ts';
import { compareText } from '../../../model/values.ts';
import type { RequestCounts } from './counts.ts';

/** What is told of is at least that long, once so long was measured. */
const windowMs = 60_000;

interface Grown {
  readonly fromMs: number;
  readonly toMs: number;
  readonly countries: ReadonlyMap<string, number>;
  readonly hosts: ReadonlyMap<string, number>;
}

interface Reading {
  readonly dateMs: number;
  readonly countries: ReadonlyMap<string, number>;
  readonly hosts: ReadonlyMap<string, number>;
}

/** Requests of the last minute by country and by host, for who follows traffic as it comes. */
export class LastMinuteWindow {
  #last: Reading | undefined;
  #parts: readonly Grown[] = [];

  /** Takes a reading of the counters. */
  read({ countries, hosts }: RequestCounts, dateMs: number): void {
    const reading = { dateMs, countries: requestsOf(countries), hosts: requestsOf(hosts) };
    const last = this.#last;
    this.#last = reading;
    // A clock that was put back says nothing of how long it took.
    if (last === undefined || dateMs <= last.dateMs) {
      this.#parts = [];
      return;
    }
    const grown = {
      fromMs: last.dateMs,
      toMs: dateMs,
      countries: grownBetween(last.countries, reading.countries),
      hosts: grownBetween(last.hosts, reading.hosts),
    };
    this.#parts = [...this.#parts, grown].filter(({ toMs }) => dateMs - toMs < windowMs);
  }

  /** Undefined before two readings. */
  get lastMinute(): LastMinute | undefined {
    const [first] = this.#parts;
    const toMs = this.#parts.at(-1)?.toMs;
    if (first === undefined || toMs === undefined) return undefined;
    const sums = (of: 'countries' | 'hosts'): Readonly<Record<string, number>> => {
      const all = new Map<string, number>();
      for (const part of this.#parts)
        for (const [name, requests] of part[of]) all.set(name, (all.get(name) ?? 0) + requests);
      return Object.fromEntries([...all].toSorted(([a], [b]) => compareText(a, b)));
    };
    return { fromMs: first.fromMs, toMs, countries: sums('countries'), hosts: sums('hosts') };
  }
}

function requestsOf(counts: ReadonlyMap<string, { readonly requests: number }>): ReadonlyMap<string, number> {
  return new Map([...counts].map(([name, { requests }]) => [name, requests]));
}

/** A counter that fell began anew in between, so all of it came since. */
function grownBetween(before: Reading['hosts'], after: Reading['hosts']): ReadonlyMap<string, number> {
  return new Map(
    [...after].flatMap(([name, requests]) => {
      const earlier = before.get(name) ?? 0;
      const since = requests < earlier ? requests : requests - earlier;
      return since > 0 ? [[name, since] as const] : [];
    }),
  );
}
