import type { Address } from '../address.ts';
import type { Platform } from '../spec/platform.ts';

/**
 * The addresses that DNS answers with for a cluster: the public VIPs of its edge pool, or its anycast addresses; none for a
 * name that does not exist.
 */
export function entryAddresses(platform: Platform, clusterName: string): readonly Address[] {
  const entry = platform.clusters.get(clusterName)?.spec.entry;
  if (entry === undefined) return [];
  if ('anycast' in entry) return entry.anycast;
  const vips = platform.edgePools.get(entry.edgePool)?.spec.vips ?? [];
  return vips.filter((vip) => vip.scope === 'public').map((vip) => vip.address);
}

/** The cluster of each entry address. */
export function clusterByAddress(platform: Platform): ReadonlyMap<string, string> {
  return new Map(
    [...platform.clusters.keys()].flatMap((cluster) =>
      entryAddresses(platform, cluster).map(({ text }) => [text, cluster] as const),
    ),
  );
}
