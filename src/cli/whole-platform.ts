import type { Platform } from '../model/spec/platform.ts';
import { messageOf } from '../model/values.ts';
import type { SpecApi } from '../platform/spec-api.ts';
import type { WholePlatform, WholeSpec } from '../platform/whole.ts';
import { systemClock } from '../runtime/clock.ts';
import { readCluster } from './cluster-read.ts';

/** The limit for each cluster; they are asked beside each other. */
const patienceMs = 3000;

/** The platform as the folder has it and the APIs of its clusters. Throws an InputError when the folder is not valid. */
export async function wholePlatform(paths: readonly string[]): Promise<WholePlatform> {
  const { wholeOf } = await import('../platform/whole.ts');
  return wholeOf(await wholeSpec(paths), systemClock.now());
}

/**
 * Reads the folder, then the API of each cluster that is read by a kubeconfig; one that cannot be read is named with the cause. Throws an
 * InputError when the folder is not valid.
 */
export async function wholeSpec(paths: readonly string[]): Promise<WholeSpec> {
  const { composePlatform } = await import('../platform/compose.ts');
  const { readDocumentsOrThrow } = await import('../platform/load.ts');
  const nowMs = systemClock.now();
  const folder = await readDocumentsOrThrow(paths, nowMs);
  const { platform } = composePlatform({ folder, inForce: new Map(), nowMs, apis: [] });
  const apis: SpecApi[] = [];
  const unread = new Map<string, string>();
  const names = [...platform.clusters.keys()];
  for (const [at, api] of (await Promise.all(names.map((cluster) => readApi(platform, cluster)))).entries())
    if (typeof api === 'string') unread.set(names[at] ?? '', api);
    else if (api !== undefined) apis.push(api);
  return { folder, apis, unread };
}

async function readApi(platform: Platform, cluster: string): Promise<SpecApi | string | undefined> {
  const { readSpecApi } = await import('../platform-api/read.ts');
  try {
    return await readCluster<SpecApi | undefined>(platform, cluster, {
      folder: async () => undefined,
      api: (client) => readSpecApi(client, cluster, patienceMs),
    });
  } catch (error) {
    const { ApiError } = await import('../kube/api/client.ts');
    const { sourceReason } = await import('../kube/api/source-reason.ts');
    return error instanceof ApiError ? `${error.message}: ${sourceReason(error)}` : messageOf(error);
  }
}
