import { type Address, contains, hostPrefix, type Prefix } from '../address.ts';
import type { EdgePool, Site } from '../spec/kinds.ts';
import type { Platform } from '../spec/platform.ts';

/** Where clusters, servers and blades are. A name that does not exist gives an empty answer. */

export type Blade = EdgePool['spec']['blades'][number];

/** The sites of a cluster, in the order the spec names them. */
export function sitesOfCluster(platform: Platform, clusterName: string): readonly Site[] {
  const names = platform.clusters.get(clusterName)?.spec.sites ?? [];
  return names.map((name) => platform.sites.get(name)).filter((site) => site !== undefined);
}

/** The first site of a cluster, which is its place for everything that needs one place. */
export function siteOfCluster(platform: Platform, clusterName: string): Site | undefined {
  return sitesOfCluster(platform, clusterName)[0];
}

/**
 * The site whose `servers` prefixes hold this address of a worker or blade. There is at most one, because prefixes of sites
 * never overlap; that of a blade is a site of its cluster, because the spec refuses a blade anywhere else.
 */
export function siteOfServer(platform: Platform, server: Address): Site | undefined {
  return [...platform.sites.values()].find((site) => holdsServer(site, server));
}

/** Whether an address of a server lies in the `servers` prefixes of a site. */
export function holdsServer(site: Site, server: Address): boolean {
  const host = hostPrefix(server);
  return site.spec.prefixes.servers.some((prefix) => contains(prefix, host));
}

/** The clusters that are lost when these are: those themselves, and those all of whose sites are. Sorted. */
export function clustersLost(
  platform: Platform,
  { sites, clusters }: { readonly sites: ReadonlySet<string>; readonly clusters: ReadonlySet<string> },
): readonly string[] {
  return [...platform.clusters]
    .filter(([name, { spec }]) => clusters.has(name) || spec.sites.every((site) => sites.has(site)))
    .map(([name]) => name)
    .sort();
}

/** The prefixes of the servers of every site. */
export function serverPrefixes(platform: Platform): readonly Prefix[] {
  return [...platform.sites.values()].flatMap(({ spec }) => spec.prefixes.servers);
}

/** The pools whose blades serve a cluster. */
export function poolsOfCluster(platform: Platform, clusterName: string): readonly EdgePool[] {
  return [...platform.edgePools.values()].filter(({ spec }) => spec.cluster === clusterName);
}

/** The pool that a blade of this name is in (blade names are unique in a platform); undefined for every other server. */
export function poolOfBlade(platform: Platform, bladeName: string): EdgePool | undefined {
  return [...platform.edgePools.values()].find((pool) => bladeOf(pool, bladeName) !== undefined);
}

/** A blade of a pool by its name. */
export function bladeOf(pool: EdgePool, bladeName: string): Blade | undefined {
  return pool.spec.blades.find(({ name }) => name === bladeName);
}
