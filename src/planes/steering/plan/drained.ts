import type { RecordSet } from '../../../answers/record.ts';
import { weightsAmong } from '../../../model/country-weights.ts';
import { clustersOfDrain, isInForce } from '../../../model/platform/drains.ts';
import { clusterByAddress } from '../../../model/platform/entries.ts';
import type { Drain } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import type { DrainedView } from '../../../model/steering-status.ts';
import { withoutUndefined } from '../../../model/values.ts';
import type { AddressType } from '../compile/entries.ts';
import type { AddressCheck, Reading, View } from '../dialects/dialect.ts';
import { dialects } from '../dialects/table.ts';
import { readApplied } from '../records/applied.ts';
import { isBelowRegistry } from '../records/registry.ts';
import { failingChecks } from './counted.ts';
import { placesApart, servedType } from './places.ts';
import { readingAfter, readingOf, type ZonePlan } from './plan.ts';
import { downByHost } from './present.ts';

/** What somebody knows beside the plan. */
interface Known {
  readonly nowMs: number;
  /** The plan has just been carried out. */
  readonly isWritten?: boolean;
  /** What the zone was seen to answer before. */
  readonly before?: readonly DrainedView[] | undefined;
}

/**
 * How much a zone still leads to what each Drain of the platform takes out of service, in the present health where the plan knows it. Sorted by
 * Drain; of those in force that DNS concerns.
 */
export function drainedIn(
  plan: ZonePlan,
  platform: Platform,
  { nowMs, isWritten = false, before }: Known,
): readonly DrainedView[] {
  const drains = concerning(platform, nowMs);
  if (drains.length === 0) return [];
  const { provider, zone, state, intent, changes } = plan;
  const [lately] = readApplied(zone, state.records);
  const old = {
    reading: readingOf(dialects[provider], state.records),
    hosts: changes.registryBefore.hosts,
    ttlSeconds: longestTtl(plan, state.records),
    changedMs: lately?.atMs ?? nowMs,
  };
  const stood = viewsOf(plan, platform, old, { drains, nowMs, before });
  if (!isWritten) return stood;
  const hosts = intent.wanted.hosts;
  const ttlSeconds = longestTtl(plan, changes.create);
  const next = { reading: readingAfter(plan), hosts, ttlSeconds, changedMs: nowMs };
  return viewsOf(plan, platform, next, { drains, nowMs, before: stood });
}

interface Concerning {
  readonly drain: Drain;
  readonly clusters: ReadonlySet<string>;
}

/** The Drains that take a whole cluster out of service, and which clusters. */
function concerning(platform: Platform, nowMs: number): readonly Concerning[] {
  return [...platform.drains.values()]
    .filter((drain) => isInForce(drain, nowMs))
    .map((drain) => ({ drain, clusters: new Set(clustersOfDrain(platform, drain, nowMs)) }))
    .filter(({ clusters }) => clusters.size > 0)
    .toSorted((a, b) => (a.drain.metadata.name < b.drain.metadata.name ? -1 : 1));
}

interface Zone {
  readonly reading: Reading;
  /** The hosts that are ours in it. */
  readonly hosts: readonly string[];
  /** For how long a resolver may hold an answer. */
  readonly ttlSeconds: number;
  /** When its records were last written. */
  readonly changedMs: number;
}

interface Asked {
  readonly drains: readonly Concerning[];
  readonly nowMs: number;
  readonly before: readonly DrainedView[] | undefined;
}

function viewsOf(plan: ZonePlan, platform: Platform, zone: Zone, asked: Asked): readonly DrainedView[] {
  const now = measuring(plan, platform, zone, downByHost(plan.intent, plan.health));
  const healthy = measuring(plan, platform, zone, new Map());
  return asked.drains.map(({ drain, clusters }): DrainedView => {
    const name = drain.metadata.name;
    const byFamily = now(clusters);
    const share = most(byFamily);
    const last = asked.before?.find((one) => one.drain === name);
    const ttlSeconds = Math.max(zone.ttlSeconds, last?.share === 0 ? 0 : (last?.ttlSeconds ?? 0));
    // Where failed checks alone lead elsewhere, they may do so only since now.
    const sinceMs = most(healthy(clusters)) > 0 ? asked.nowMs : zone.changedMs;
    const emptyAtMs = (last?.share === 0 ? last.emptyAtMs : undefined) ?? sinceMs + ttlSeconds * 1000;
    return { drain: name, share, byFamily, ttlSeconds, ...(share > 0 ? {} : { emptyAtMs }) };
  });
}

type ByFamily = DrainedView['byFamily'];

const most = ({ ipv4 = 0, ipv6 = 0 }: ByFamily): number => Math.max(ipv4, ipv6);

/** How much a zone leads to clusters, of the host of which most is led there in each family; shares below a tenth of a thousandth are none. */
function measuring(
  { weights }: ZonePlan,
  platform: Platform,
  { reading, hosts }: Zone,
  downOf: ReturnType<typeof downByHost>,
): (clusters: ReadonlySet<string>) => ByFamily {
  const clusterOfAddress = clusterByAddress(platform);
  const allWell: readonly AddressCheck[] = [];
  const failedOf = Map.groupBy(hosts, (host) => downOf.get(host));
  const failing = new Map(
    [...failedOf].flatMap(([down, some]) => {
      const failed = down === undefined || down.size === 0 ? allWell : failingChecks(reading, down);
      return some.map((host) => [host, failed] as const);
    }),
  );
  return (clusters) => {
    // Hosts with the same records share views.
    const known = new Map<View, number>();
    const shareOf = (host: string, type: AddressType): number => {
      const view = reading.view(host, servedType(reading, host, type), failing.get(host) ?? allWell);
      const share = known.get(view) ?? ledThere(view, placesApart([reading], host, type));
      known.set(view, share);
      return share;
    };
    const ledThere = (view: View, places: readonly string[]): number => {
      const weightOf = weightsAmong(weights, places);
      const led = (place: string): number =>
        [...view.answer(place)]
          .filter(([address]) => clusters.has(view.clusterOf(address) ?? clusterOfAddress.get(address) ?? ''))
          .reduce((sum, [, share]) => sum + share, 0);
      return places.reduce((sum, place) => sum + weightOf(place) * led(place), 0);
    };
    const worst = (type: AddressType): number | undefined => {
      const some = hosts.filter((host) => reading.types(host).includes(type));
      return some.length === 0 ? undefined : rounded(Math.max(...some.map((host) => shareOf(host, type))));
    };
    return withoutUndefined({ ipv4: worst('A'), ipv6: worst('AAAA') });
  };
}

/** Something is never rounded to nothing. */
function rounded(share: number): number {
  return share < 1e-9 ? 0 : Math.min(1, Math.max(1e-4, Math.round(share * 1e4) / 1e4));
}

/** For how long an answer of these records may be held, of those that are ours. */
function longestTtl({ provider, zone, changes }: ZonePlan, records: readonly RecordSet[]): number {
  const { answerTypes } = dialects[provider];
  const hosts = new Set(changes.registryBefore.hosts);
  const ours = records.filter(
    ({ name, type }) => answerTypes.includes(type) && (hosts.has(name) || isBelowRegistry(zone, name)),
  );
  return Math.max(0, ...ours.map(({ target }) => (target.kind === 'values' ? target.ttlSeconds : 0)));
}
