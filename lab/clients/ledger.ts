import { withoutUndefined } from '../../src/model/values.ts';
import type { Outcome } from './protocol.ts';

export interface Failure {
  readonly country: string;
  /** When the request failed, ms since the epoch. */
  readonly atMs: number;
  readonly reason: string;
  readonly address?: string;
}

/** The account of one window of time: requests that were started in it and have ended. */
export interface Account {
  readonly requests: number;
  readonly failed: number;
  readonly retried: number;
  /** From the start of the window to the end of the last failed request in it; 0 when none failed. */
  readonly recoveredAfterMs: number;
  readonly failures: readonly Failure[];
  readonly countries: ReadonlyMap<string, CountryAccount>;
}

export interface CountryAccount {
  readonly requests: number;
  readonly failed: number;
  readonly retried: number;
  /** Successful requests by the cluster that served them, `paris` or `cloud/cloud-europe`. */
  readonly clusters: ReadonlyMap<string, number>;
  readonly pods: ReadonlyMap<string, number>;
  /** The same as `clusters`, apart for each name server that was asked. */
  readonly byResolver: {
    readonly route53: ReadonlyMap<string, number>;
    readonly powerdns: ReadonlyMap<string, number>;
  };
  /** The median duration of the successful requests. */
  readonly medianMs: number;
}

/** The ledger remembers this many outcomes: more than ten minutes of the whole lab. */
const capacity = 60_000;

/** Keeps every outcome that the clients report, and gives exact accounts of any window of time. */
export class Ledger {
  #outcomes: Outcome[] = [];
  readonly #newest = new Map<string, Outcome>();
  #total = 0;
  #failed = 0;
  #retried = 0;

  record(outcome: Outcome): void {
    this.#outcomes.push(outcome);
    this.#newest.set(`${outcome.country} ${outcome.resolver}`, outcome);
    this.#total += 1;
    if (outcome.failure !== undefined) this.#failed += 1;
    if (outcome.retried) this.#retried += 1;
    if (this.#outcomes.length > capacity * 1.1) this.#outcomes = this.#outcomes.slice(-capacity);
  }

  /** How many clients (each a country and a name server) had their newest request served. */
  servedClients(): number {
    return [...this.#newest.values()].filter((outcome) => outcome.failure === undefined).length;
  }

  /** The clients whose newest request failed, each with the reason: `FR by route53: Timeout`. */
  unserved(): readonly string[] {
    return [...this.#newest.values()].flatMap(({ country, resolver, failure }) =>
      failure === undefined ? [] : [`${country} by ${resolver}: ${failure}`],
    );
  }

  get totals(): { readonly requests: number; readonly failed: number; readonly retried: number } {
    return { requests: this.#total, failed: this.#failed, retried: this.#retried };
  }

  /** The account of requests started at or after `fromMs` and before `toMs` (ms since the epoch), without those in flight. */
  window(fromMs: number, toMs = Number.POSITIVE_INFINITY): Account {
    const inside = this.#outcomes.filter((o) => o.startedAtMs >= fromMs && o.startedAtMs < toMs);
    const failures = inside.flatMap((o) => (o.failure === undefined ? [] : [failureOf(o, o.failure)]));
    const lastFailure = Math.max(fromMs, ...failures.map((failure) => failure.atMs));
    const byCountry = Map.groupBy(inside, (o) => o.country);
    return {
      requests: inside.length,
      failed: failures.length,
      retried: inside.filter((o) => o.retried).length,
      recoveredAfterMs: Math.round(lastFailure - fromMs),
      failures,
      countries: new Map(
        [...byCountry].toSorted(byName).map(([country, outcomes]) => [country, countryAccount(outcomes)]),
      ),
    };
  }
}

function failureOf(outcome: Outcome, reason: string): Failure {
  const { country, startedAtMs, tookMs, address } = outcome;
  return { country, atMs: startedAtMs + tookMs, reason, ...withoutUndefined({ address }) };
}

function countryAccount(outcomes: readonly Outcome[]): CountryAccount {
  const good = outcomes.filter((o) => o.failure === undefined);
  const of = (resolver: Outcome['resolver']): ReadonlyMap<string, number> =>
    count(good.filter((o) => o.resolver === resolver).map(placeOf));
  const times = good.map((o) => o.tookMs).toSorted((a, b) => a - b);
  return {
    requests: outcomes.length,
    failed: outcomes.length - good.length,
    retried: outcomes.filter((o) => o.retried).length,
    clusters: count(good.map(placeOf)),
    pods: count(good.map((o) => o.pod ?? '')),
    byResolver: { route53: of('route53'), powerdns: of('powerdns') },
    medianMs: times[times.length >> 1] ?? 0,
  };
}

/** The cluster that served; for the cloud also its region, whose name the node has. */
function placeOf(outcome: Outcome): string {
  return outcome.cluster === 'cloud' ? `cloud/${outcome.node}` : (outcome.cluster ?? '');
}

function count(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return new Map([...counts].toSorted(byName));
}

function byName(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : 1;
}
