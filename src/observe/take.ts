import { isInForce } from '../model/platform/drains.ts';
import { sitesOfCluster } from '../model/platform/places.ts';
import type { Platform } from '../model/spec/platform.ts';
import { messageOf } from '../model/values.ts';
import type { AgentPart, ClusterPart, Snapshot, Target } from './snapshot.ts';
import { bladeTargets, unplacedOf, type Worker, workerTargets } from './targets.ts';

export interface TakeOptions {
  readonly platform: Platform;
  /** Asks an agent; never rejects. */
  readonly ask: (target: Target) => Promise<AgentPart>;
  /** The workers that a cluster lists; rejects when it cannot be read, resolves with undefined when it is not to be read. */
  readonly workersOf: (cluster: string) => Promise<readonly Worker[] | undefined>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Asks everybody, all beside each other, and joins what they say. */
export async function takeSnapshot({ platform, ask, workersOf, now }: TakeOptions): Promise<Snapshot> {
  const [blades, clusters] = await Promise.all([
    Promise.all(bladeTargets(platform).map(ask)),
    Promise.all([...platform.clusters.keys()].map((name) => readCluster(platform, name, workersOf))),
  ]);
  const workers = await Promise.all(clusters.flatMap(({ targets }) => targets).map(ask));
  const takenAtMs = now();
  return {
    takenAtMs,
    clusters: clusters.map(({ part }) => part),
    pools: [...platform.edgePools.values()].map(({ metadata, spec }) => ({
      name: metadata.name,
      cluster: spec.cluster,
      vips: spec.vips.map(({ address }) => address.text),
    })),
    agents: [...blades, ...workers],
    drains: [...platform.drains.values()]
      .filter((drain) => isInForce(drain, takenAtMs))
      .map(({ metadata, spec }) => ({
        name: metadata.name,
        target: `${spec.target.kind}/${spec.target.name}`,
        reason: spec.reason,
        expires: spec.expires,
      })),
  };
}

interface ReadCluster {
  readonly part: ClusterPart;
  readonly targets: readonly Target[];
}

/** The workers' agents of a cluster. A cluster whose sites have no servers, as a cloud's, has none. */
async function readCluster(
  platform: Platform,
  name: string,
  workersOf: TakeOptions['workersOf'],
): Promise<ReadCluster> {
  const hasServers = sitesOfCluster(platform, name).some(({ spec }) => spec.prefixes.servers.length > 0);
  try {
    const workers = hasServers ? await workersOf(name) : undefined;
    if (workers === undefined) return { part: { name }, targets: [] };
    if (workers.length === 0) return { part: { name, problem: 'it lists no Node' }, targets: [] };
    const targets = workerTargets(platform, name, workers);
    return { part: { name, unplaced: unplacedOf(workers, targets) }, targets };
  } catch (error) {
    return { part: { name, problem: messageOf(error) }, targets: [] };
  }
}
