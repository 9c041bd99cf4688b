import type { Platform } from '../model/spec/platform.ts';
import type { Snapshot } from '../observe/snapshot.ts';
import { systemClock } from '../runtime/clock.ts';
import { readCluster } from './cluster-read.ts';
import { showProgress } from './progress.ts';

/** The limit for each agent and each cluster; they are asked beside each other. */
const patienceMs = 3000;

/** Asks every agent and every cluster of a platform what they know now. */
export async function lookAt(platform: Platform): Promise<Snapshot> {
  const { askAgent } = await import('../observe/ask.ts');
  const { takeSnapshot } = await import('../observe/take.ts');
  const { workersOfApi, workersOfFolder } = await import('../observe/workers.ts');
  const progress = showProgress();
  progress.step('asking clusters and agents');
  return takeSnapshot({
    platform,
    ask: (target) => askAgent(target, { timeoutMs: patienceMs, monotonic: () => systemClock.monotonic() }),
    workersOf: (cluster) =>
      readCluster(platform, cluster, {
        folder: (folder) => workersOfFolder(folder, systemClock, patienceMs),
        api: (client) => workersOfApi(client, patienceMs),
      }),
    now: () => systemClock.now(),
  }).finally(progress.end);
}
