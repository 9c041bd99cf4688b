import type { Platform } from '../model/spec/platform.ts';
import { withoutUndefined } from '../model/values.ts';
import type { Following } from '../observe/drain-dns.ts';
import type { Snapshot } from '../observe/snapshot.ts';
import { systemClock } from '../runtime/clock.ts';
import { readCluster } from './cluster-read.ts';
import { showProgress } from './progress.ts';
import { accessOf, type TlsArguments } from './tls.ts';

export interface LookOptions extends TlsArguments {
  /** The limit for each agent and each cluster, which are asked beside each other. */
  readonly patienceMs?: number;
  /** What was seen before, of the same platform. */
  readonly before?: Snapshot;
  /** What name servers answer to users whom Drains lead away; without it nobody is asked. */
  readonly following?: () => Promise<ReadonlyMap<string, Following>>;
  /** The keys of Drains that no folder has. */
  readonly fromApis?: ReadonlySet<string>;
}

/** Asks every agent and every cluster of a platform what they know now. */
export async function lookAt(platform: Platform, options: LookOptions): Promise<Snapshot> {
  const { patienceMs = 3000, before, following, fromApis } = options;
  const access = await accessOf(options);
  const { askAgent } = await import('../observe/ask.ts');
  const { takeSnapshot } = await import('../observe/take.ts');
  const { workersOfApi, workersOfFolder } = await import('../observe/workers.ts');
  const progress = showProgress();
  progress.step('asking clusters and agents');
  return takeSnapshot({
    platform,
    ask: (target) => askAgent(target, { timeoutMs: patienceMs, monotonic: () => systemClock.monotonic(), access }),
    workersOf: (cluster) =>
      readCluster(platform, cluster, {
        folder: (folder) => workersOfFolder(folder, systemClock, patienceMs),
        api: (client) => workersOfApi(client, patienceMs),
      }),
    now: () => systemClock.now(),
    ...withoutUndefined({ before, following, fromApis }),
  }).finally(progress.end);
}
