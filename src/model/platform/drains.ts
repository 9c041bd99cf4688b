import type { Drain, EdgePool } from '../spec/kinds.ts';
import type { Platform } from '../spec/platform.ts';
import { compareText } from '../values.ts';
import { bladeOf, siteOfServer } from './places.ts';

/**
 * Which drains are in force on what, by one rule for every plane: a Drain counts until the moment in `expires`; `nowMs` is in
 * milliseconds since the epoch. Lists are sorted by name, so that the place where a Drain is written never decides which one is
 * shown.
 */

type Target = Drain['spec']['target'];

export function isInForce(drain: Drain, nowMs: number): boolean {
  return Date.parse(drain.spec.expires) > nowMs;
}

function inForceOn(drains: Iterable<Drain>, nowMs: number, isMeant: (target: Target) => boolean): readonly Drain[] {
  return [...drains]
    .filter((drain) => isInForce(drain, nowMs) && isMeant(drain.spec.target))
    .sort((a, b) => compareText(a.metadata.name, b.metadata.name));
}

/**
 * The drains in force that take this cluster out of service: its own, then those of its sites when all of them are drained.
 * While only some of its sites are drained, a cluster stays in service.
 */
export function drainsOfCluster(platform: Platform, clusterName: string, nowMs: number): readonly Drain[] {
  const drains = [...platform.drains.values()];
  const own = inForceOn(drains, nowMs, ({ kind, name }) => kind === 'Cluster' && name === clusterName);
  const sites = platform.clusters.get(clusterName)?.spec.sites ?? [];
  const ofSites = inForceOn(drains, nowMs, ({ kind, name }) => kind === 'Site' && sites.includes(name));
  const covered = new Set(ofSites.map((drain) => drain.spec.target.name));
  return sites.length > 0 && sites.every((site) => covered.has(site)) ? [...own, ...ofSites] : own;
}

/** The clusters that a Drain takes out of service as a whole. */
export function clustersOfDrain(platform: Platform, drain: Drain, nowMs: number): readonly string[] {
  return [...platform.clusters.keys()].filter((name) => drainsOfCluster(platform, name, nowMs).includes(drain));
}

/** The Drain in force that takes a blade of this pool out of service: its own or its site's, else its cluster's. */
export function drainOfBlade(platform: Platform, pool: EdgePool, bladeName: string, nowMs: number): Drain | undefined {
  const address = bladeOf(pool, bladeName)?.address;
  const site = address === undefined ? undefined : siteOfServer(platform, address)?.metadata.name;
  const [own] = inForceOn(
    platform.drains.values(),
    nowMs,
    ({ kind, name }) => (kind === 'Blade' && name === bladeName) || (kind === 'Site' && name === site),
  );
  return own ?? drainsOfCluster(platform, pool.spec.cluster, nowMs)[0];
}

/** How a worker is drained: at once, or when no pod on it is Ready any more. */
export type WorkerDrain = 'no' | 'when empty' | 'at once';

/**
 * Whether a Drain takes this worker out of service. Drains of a whole Site or Cluster do not: DNS and the edges lead users
 * away first, and until the last user has gone the edges still need the pods.
 */
export function drainOfWorker(drains: readonly Drain[], workerName: string, nowMs: number): WorkerDrain {
  const mine = inForceOn(drains, nowMs, ({ kind, name }) => kind === 'Worker' && name === workerName);
  if (mine.length === 0) return 'no';
  return mine.some(({ spec }) => spec.force) ? 'at once' : 'when empty';
}
