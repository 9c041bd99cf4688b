import { InputError } from '../../model/problem.ts';
import type { Platform } from '../../model/spec/platform.ts';
import type { Snapshot } from '../../observe/snapshot.ts';
import type { DrainTarget } from '../../platform/drain-files.ts';
import type { WholeSpec } from '../../platform/whole.ts';

/**
 * The clusters in whose APIs a Drain of this target belongs: that of the blade, or those that list the worker. Throws an InputError where
 * none may have it, and an Error when the API of one could not be read.
 */
export function concerned(
  target: DrainTarget,
  { platform, spec, snapshot }: { readonly platform: Platform; readonly spec: WholeSpec; readonly snapshot: Snapshot },
): readonly string[] {
  const clusters = clustersOf(target, platform, snapshot);
  if (clusters.length === 0) {
    const silent = snapshot.clusters.flatMap(({ name, problem }) =>
      problem === undefined ? [] : [`${name} ${problem}`],
    );
    throw new Error(`no cluster that answers lists a worker "${target.name}"; not known: ${silent.join('; ')}`);
  }
  for (const cluster of clusters) {
    const why = spec.unread.get(cluster);
    if (why !== undefined) throw new Error(`the API of cluster ${cluster} cannot be read: ${why}`);
    if (!spec.apis.some((api) => api.cluster === cluster))
      throw new InputError({
        reason: 'NoClusterSource',
        object: `Cluster/${cluster}`,
        path: 'spec.source',
        message: 'it names no kubeconfig, so there is no API to write to',
        fix: 'write the Drain into the folder: leave --to-api out',
      });
  }
  return clusters;
}

function clustersOf({ kind, name }: DrainTarget, { edgePools }: Platform, snapshot: Snapshot): readonly string[] {
  switch (kind) {
    case 'Cluster':
      return [name];
    case 'Blade': {
      const pools = [...edgePools.values()].filter(({ spec }) => spec.blades.some((blade) => blade.name === name));
      return [...new Set(pools.map(({ spec }) => spec.cluster))];
    }
    case 'Worker':
      return [...workersOf(snapshot)].flatMap(([cluster, workers]) => (workers.has(name) ? [cluster] : []));
    case 'Site':
      throw new InputError({
        reason: 'OfOtherCluster',
        message: `a site may serve several clusters, and the API of a cluster speaks of that cluster alone`,
        fix: 'write the Drain into the folder (leave --to-api out), or drain each cluster of the site',
      });
  }
}

/** Only a cluster knows its workers; a name that no readable cluster has is most likely a typing mistake. */
export function checkWorker({ kind, name }: DrainTarget, snapshot: Snapshot): void {
  if (kind !== 'Worker' || snapshot.clusters.some(({ problem }) => problem !== undefined)) return;
  const known = [...workersOf(snapshot).values()].flatMap((workers) => [...workers]);
  if (known.includes(name)) return;
  throw new InputError({
    reason: 'UnknownName',
    message: `no cluster lists a worker "${name}"`,
    expected: known.length === 0 ? 'a Node of a cluster, but none lists one' : known.toSorted().slice(0, 20).join(', '),
    fix: 'correct the name',
  });
}

/** The workers that are known, by cluster. */
function workersOf({ agents, clusters }: Snapshot): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  const add = (cluster: string, worker: string) =>
    found.set(cluster, (found.get(cluster) ?? new Set<string>()).add(worker));
  for (const { target } of agents) if (target.plane === 'network') add(target.cluster, target.server);
  for (const { name, unplaced = [] } of clusters) for (const worker of unplaced) add(name, worker);
  return found;
}
