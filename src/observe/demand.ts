import { type Answers, answersFor, answersNow, preferenceOf } from '../answers/answers.ts';
import { countryDataAge } from '../model/country-weights.ts';
import { countries } from '../model/geo/countries.ts';
import type { Platform } from '../model/spec/platform.ts';
import { withoutUndefined } from '../model/values.ts';
import type { demandReasons } from './reasons.ts';
import type { EdgePart, Snapshot } from './snapshot.ts';

/** What blades measured of requests by country, together, and how far it can be believed. */
export interface MeasuredDemand {
  readonly measuredAtMs: number;
  /** The shortest time of a blade in which it was measured, in seconds; 0 where none measured. */
  readonly seconds: number;
  /** Clusters of which a blade told what it measured, and those that policies name of which none did. */
  readonly clusters: readonly string[];
  readonly unmeasured: readonly string[];
  /** Blades that told nothing, and why. */
  readonly silent: readonly { readonly blade: string; readonly why: string }[];
  /** Requests a second of users whose country is not known. */
  readonly unknownPerSecond: number;
  /** When the oldest data was made by which blades told countries, an ISO date; absent where none says. */
  readonly countryDataBuilt?: string;
  /** By country. One that is absent was not measured: its users are led to other clusters. */
  readonly requestsPerSecond: Readonly<Record<string, number>>;
}

/** What was counted last may be so old, and clocks of servers differ by so much. */
const freshMs = 60_000;

/** A country is measured when at least this share of its users is led to clusters that were; what these measured is then scaled. */
const enough = 0.5;

/**
 * Sums what blades measured. Which countries they can have measured at all follows from the policies: of users whom a cluster without blades
 * answers nothing is known. What blades see of these (resolvers abroad, a spec that is not applied yet) counts where it is more than the average.
 */
export function demandOf(
  platform: Platform,
  { agents, takenAtMs }: Pick<Snapshot, 'agents' | 'takenAtMs'>,
  over: 'hour' | 'minute' = 'hour',
): MeasuredDemand {
  const silent: { readonly blade: string; readonly why: string }[] = [];
  const windows: { readonly cluster: string; readonly demand: Window }[] = [];
  const built: string[] = [];
  for (const part of agents) {
    const { server, plane, cluster } = part.target;
    if (plane !== 'edge') continue;
    if ('problem' in part) silent.push({ blade: server, why: part.problem });
    else {
      const demand = 'edge' in part ? windowIn(part.edge, over) : undefined;
      const awayMs = over === 'minute' && demand !== undefined ? Math.abs(takenAtMs - demand.toMs) : 0;
      if (awayMs > freshMs)
        silent.push({
          blade: server,
          why: `tells what it counted ${Math.round(awayMs / 1000)} s away from now: its nginx tells nothing, or a clock is wrong`,
        });
      else if (isMeasured(demand)) windows.push({ cluster, demand });
      else silent.push({ blade: server, why: 'has measured nothing yet, or is of an older version' });
      const of = isMeasured(demand) && 'edge' in part ? part.edge.countryDataBuilt : undefined;
      if (of !== undefined) built.push(of);
    }
  }
  const measured = new Set(windows.map(({ cluster }) => cluster));
  const seen = sumOf(windows.map(({ demand }) => demand));
  const { unknown: unknownPerSecond = 0 } = Object.fromEntries(seen);
  const policies = [...platform.policies.values()].map((policy) => answersNow(platform, policy, takenAtMs));
  const named = new Set(policies.flatMap((answers) => [...answers.byCountry.values()]).flatMap(clustersFirst));
  return {
    measuredAtMs: windows.length === 0 ? takenAtMs : Math.max(...windows.map(({ demand }) => demand.toMs)),
    seconds: windows.length === 0 ? 0 : Math.round(Math.min(...windows.map(({ demand }) => lengthMs(demand))) / 1000),
    clusters: [...measured].sort(),
    unmeasured: [...named].filter((name) => !measured.has(name)).sort(),
    silent,
    unknownPerSecond,
    ...withoutUndefined({ countryDataBuilt: built.sort()[0] }),
    requestsPerSecond: ratesOf(policies, measured, seen),
  };
}

/** Requests a second by host, of all blades that told what they counted in the last minute. */
export function hostRatesOf({ agents }: Pick<Snapshot, 'agents'>): ReadonlyMap<string, number> {
  const rates = new Map<string, number>();
  for (const part of agents) {
    const lastMinute = 'edge' in part ? part.edge.lastMinute : undefined;
    if (lastMinute === undefined || lengthMs(lastMinute) <= 0) continue;
    for (const [host, requests] of Object.entries(lastMinute.hosts))
      rates.set(host, (rates.get(host) ?? 0) + (1000 * requests) / lengthMs(lastMinute));
  }
  return rates;
}

const oldReason: keyof typeof demandReasons = 'CountryDataOld';

/** Of when the data is by which countries were told, as a line; none where no blade says. */
export function countryDataText({
  countryDataBuilt: built,
  measuredAtMs,
}: Pick<MeasuredDemand, 'countryDataBuilt' | 'measuredAtMs'>): readonly string[] {
  if (built === undefined) return [];
  const { text, isOld } = countryDataAge(built, measuredAtMs);
  return [isOld ? `${text}; install a newer release on the blades and render again (${oldReason})` : text];
}

type Window = NonNullable<EdgePart['demand']>;

function windowIn({ demand, lastMinute }: EdgePart, over: 'hour' | 'minute'): Window | undefined {
  if (over === 'hour' || lastMinute === undefined) return over === 'hour' ? demand : undefined;
  const countries = Object.entries(lastMinute.countries).map(([country, requests]) => ({ country, requests }));
  return { fromMs: lastMinute.fromMs, toMs: lastMinute.toMs, countries };
}

const lengthMs = ({ fromMs, toMs }: Pick<Window, 'fromMs' | 'toMs'>): number => toMs - fromMs;

const isMeasured = (demand: Window | undefined): demand is Window => demand !== undefined && lengthMs(demand) > 0;

const clustersFirst = ({ tiers }: { readonly tiers: Parameters<typeof answersFor>[0] }): readonly string[] => [
  ...answersFor(tiers, new Set()).keys(),
];

/** Requests a second by country, of blades that measured for different times. */
function sumOf(windows: readonly Window[]): ReadonlyMap<string, number> {
  const rates = new Map<string, number>();
  for (const demand of windows)
    for (const { country, requests } of demand.countries)
      rates.set(country, (rates.get(country) ?? 0) + (1000 * requests) / lengthMs(demand));
  return rates;
}

function ratesOf(
  policies: readonly Answers[],
  measured: ReadonlySet<string>,
  seen: ReadonlyMap<string, number>,
): Readonly<Record<string, number>> {
  const rates = new Map<string, number>();
  const elsewhere: string[] = [];
  for (const { code } of countries) {
    const shares = policies.map((answers) => shareAt(answers, code, measured));
    if (shares.length > 0 && shares.every((share) => share >= enough))
      rates.set(code, ((seen.get(code) ?? 0) * shares.length) / shares.reduce((sum, share) => sum + share, 0));
    else elsewhere.push(code);
  }
  const average = [...rates.values()].reduce((sum, rate) => sum + rate, 0) / Math.max(1, rates.size);
  for (const code of elsewhere) {
    const rate = seen.get(code) ?? 0;
    if (rate > average) rates.set(code, rate);
  }
  const sorted = [...rates].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([code, rate]) => [code, Math.round(rate * 10_000) / 10_000]));
}

/** The share of a country's users that is led to these clusters while everything is healthy. */
function shareAt(answers: Answers, code: string, clusters: ReadonlySet<string>): number {
  const shares = answersFor(preferenceOf(answers, code).tiers, new Set());
  return [...shares].reduce((sum, [name, share]) => (clusters.has(name) ? sum + share : sum), 0);
}
