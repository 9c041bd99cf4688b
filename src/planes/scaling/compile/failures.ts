import { clustersLost } from '../../../model/platform/places.ts';
import type { ScalingTarget } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';

/** Something that is lost, with what follows for clusters. */
export interface Failure {
  /** As people write it: `site paris`, `cluster cloud`, `sites newyork and paris`; `nothing` while all is well. */
  readonly name: string;
  readonly sites: ReadonlySet<string>;
  /** The clusters that are lost with it. */
  readonly clusters: ReadonlySet<string>;
}

/** All is well. */
export const nothing: Failure = { name: 'nothing', sites: new Set(), clusters: new Set() };

/** The loss of these sites and clusters. */
export function lossOf(
  name: string,
  platform: Platform,
  sites: readonly string[],
  clusters: readonly string[],
): Failure {
  const lost = { sites: new Set(sites), clusters: new Set(clusters) };
  return { name, sites: lost.sites, clusters: new Set(clustersLost(platform, lost)) };
}

/**
 * Every single failure of a platform: each of its sites, then each of its clusters. One that has the effect of an earlier one, as the loss of a
 * cluster that fills its site alone has, is left out; so is one without any, such as the loss of one of two sites of a cluster whose users come to all of it.
 */
export function singleFailures(platform: Platform): readonly Failure[] {
  return withoutRepeats(platform, [
    ...[...platform.sites.keys()].sort().map((site) => lossOf(`site ${site}`, platform, [site], [])),
    ...[...platform.clusters.keys()].sort().map((cluster) => lossOf(`cluster ${cluster}`, platform, [], [cluster])),
  ]);
}

/** Every single failure, and what targets are to survive besides. */
export function allFailures(platform: Platform): readonly Failure[] {
  const declared = [...platform.scalingTargets.values()].flatMap((target) => survivedBy(platform, target));
  return withoutRepeats(platform, [...singleFailures(platform), ...declared]);
}

/** What a target is to survive. */
export function survivedBy(
  platform: Platform,
  { spec: { survives } }: Pick<ScalingTarget, 'spec'>,
): readonly Failure[] {
  return withoutRepeats(platform, [
    ...(survives.failures === 'single' ? singleFailures(platform) : []),
    ...survives.together.map((sites) => {
      const sorted = sites.toSorted();
      return lossOf(`sites ${sorted.slice(0, -1).join(', ')} and ${sorted.at(-1)}`, platform, sorted, []);
    }),
  ]);
}

/** The sites to one of which the users of a cluster come, the nearest; empty where they come to the whole cluster. */
export function regionsOf(platform: Platform, cluster: string): readonly string[] {
  const spec = platform.clusters.get(cluster)?.spec;
  return spec !== undefined && 'anycast' in spec.entry && spec.sites.length > 1 ? spec.sites : [];
}

function withoutRepeats(platform: Platform, failures: readonly Failure[]): readonly Failure[] {
  const regions = new Set([...platform.clusters.keys()].flatMap((cluster) => regionsOf(platform, cluster)));
  const seen = new Set([effectOf(nothing, regions)]);
  return failures.filter((failure) => {
    const effect = effectOf(failure, regions);
    if (seen.has(effect)) return false;
    seen.add(effect);
    return true;
  });
}

/** The same text for failures that lead every user to the same place. */
function effectOf({ clusters, sites }: Failure, regions: ReadonlySet<string>): string {
  return JSON.stringify([[...clusters].sort(), [...sites].filter((site) => regions.has(site)).sort()]);
}
