import { type Address, contains, hostPrefix } from '../address.ts';
import { countriesOf } from '../geo/countries.ts';
import type { Cluster, Drain, EdgePool, Site, TrafficPolicy } from './kinds.ts';
import type { Platform } from './platform.ts';

/** Questions that several planes ask of a valid platform. A name that does not exist gives an empty answer. */

export type PolicyRule = TrafficPolicy['spec']['rules'][number];
export type Blade = EdgePool['spec']['blades'][number];

/** The sites of a cluster, in the order the spec names them. */
function sitesOfCluster(platform: Platform, clusterName: string): readonly Site[] {
  const names = platform.clusters.get(clusterName)?.spec.sites ?? [];
  return names.map((name) => platform.sites.get(name)).filter((site) => site !== undefined);
}

/** The first site of a cluster: where it is, for everything that needs one place. */
export function siteOfCluster(platform: Platform, clusterName: string): Site | undefined {
  return sitesOfCluster(platform, clusterName)[0];
}

/** The site of a cluster whose `servers` prefixes hold this server address. */
export function siteOfServer(platform: Platform, clusterName: string, server: Address): Site | undefined {
  const host = hostPrefix(server);
  return sitesOfCluster(platform, clusterName).find((site) =>
    site.spec.prefixes.servers.some((prefix) => contains(prefix, host)),
  );
}

/** The edge pool that a cluster's DNS answers lead to; undefined for a cluster behind an anycast address. */
function entryPoolOf(platform: Platform, cluster: Cluster): EdgePool | undefined {
  return 'edgePool' in cluster.spec.entry ? platform.edgePools.get(cluster.spec.entry.edgePool) : undefined;
}

/** The addresses that DNS answers with for a cluster: its public VIPs, or its anycast addresses. */
export function entryAddresses(platform: Platform, clusterName: string): readonly Address[] {
  const cluster = platform.clusters.get(clusterName);
  if (cluster === undefined) return [];
  if ('anycast' in cluster.spec.entry) return cluster.spec.entry.anycast;
  const vips = entryPoolOf(platform, cluster)?.spec.vips ?? [];
  return vips.filter((vip) => vip.scope === 'public').map((vip) => vip.address);
}

/** Every country of a rule, its continents spelled out, sorted. A country rule beats a continent rule elsewhere. */
export function countriesOfRule(rule: Pick<PolicyRule, 'countries' | 'continents'>): readonly string[] {
  const byContinent = rule.continents.flatMap((continent) => countriesOf(continent).map((country) => country.code));
  return [...new Set([...rule.countries, ...byContinent])].sort();
}

/** Every cluster that a policy can answer with, in any rule, as first choice or failover; sorted. */
export function clustersOfPolicy(policy: TrafficPolicy): readonly string[] {
  const answers = [...policy.spec.rules, policy.spec.default];
  const names = answers.flatMap((answer) => [...answer.clusters.map((cluster) => cluster.name), ...answer.failover]);
  return [...new Set(names)].sort();
}

/** The pool and the blade of this name (blade names are unique in a platform). */
export function findBlade(
  platform: Platform,
  bladeName: string,
): { readonly pool: EdgePool; readonly blade: Blade } | undefined {
  for (const pool of platform.edgePools.values()) {
    const blade = pool.spec.blades.find((candidate) => candidate.name === bladeName);
    if (blade !== undefined) return { pool, blade };
  }
  return undefined;
}

/** The blades that never let go of a VIP for want of an agent: the first `minAnnouncers` by name. */
export function keepersOf(pool: EdgePool): readonly string[] {
  const names = pool.spec.blades.map((blade) => blade.name).sort();
  return names.slice(0, pool.spec.minAnnouncers);
}

/** Drains in force at `nowMs` (milliseconds since the epoch), sorted by name. */
export function activeDrains(platform: Platform, nowMs: number): readonly Drain[] {
  const active = [...platform.drains.values()].filter((drain) => Date.parse(drain.spec.expires) > nowMs);
  return active.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}

/**
 * The drains in force that take this cluster out of service: of itself, or of all of its sites together. A drained
 * site of a cluster in several sites leaves the cluster in service.
 */
export function drainsOfCluster(platform: Platform, clusterName: string, nowMs: number): readonly Drain[] {
  const active = activeDrains(platform, nowMs);
  const own = active.filter(({ spec }) => spec.target.kind === 'Cluster' && spec.target.name === clusterName);
  const sites = platform.clusters.get(clusterName)?.spec.sites ?? [];
  const ofSites = active.filter(({ spec }) => spec.target.kind === 'Site' && sites.includes(spec.target.name));
  const covered = new Set(ofSites.map((drain) => drain.spec.target.name));
  return sites.length > 0 && sites.every((site) => covered.has(site)) ? [...own, ...ofSites] : own;
}
