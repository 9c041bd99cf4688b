import type { Platform } from '../model/spec/platform.ts';
import type { Snapshot } from '../observe/snapshot.ts';
import type { Worker } from '../observe/targets.ts';
import { systemClock } from '../runtime/clock.ts';
import { showProgress } from './progress.ts';

/** The limit for each agent and each cluster; they are asked beside each other. */
const patienceMs = 3000;

/** Asks every agent and every cluster of a platform what they know now. */
export async function lookAt(platform: Platform): Promise<Snapshot> {
  const { askAgent } = await import('../observe/ask.ts');
  const { takeSnapshot } = await import('../observe/take.ts');
  const progress = showProgress();
  progress.step('asking clusters and agents');
  return takeSnapshot({
    platform,
    ask: (target) => askAgent(target, { timeoutMs: patienceMs, monotonic: () => systemClock.monotonic() }),
    workersOf: (cluster) => workersOf(platform, cluster),
    now: () => systemClock.now(),
  }).finally(progress.end);
}

/** The workers that a cluster lists, read from its source in the spec; undefined for a cluster that is not read at all. */
async function workersOf(platform: Platform, name: string): Promise<readonly Worker[] | undefined> {
  const source = platform.clusters.get(name)?.spec.source;
  if (source === undefined || 'none' in source) return undefined;
  const { sourcePlace } = await import('./cluster-source.ts');
  const { workersOfApi, workersOfFolder } = await import('../observe/workers.ts');
  const place = sourcePlace(platform, name, {});
  if ('manifests' in place) return workersOfFolder(place.manifests, systemClock, patienceMs);
  const { connect } = await import('../kube/api/connect.ts');
  const client = await connect(place);
  try {
    return await workersOfApi(client, patienceMs);
  } finally {
    await client.close();
  }
}
