import type { KubeClient } from '../kube/api/client.ts';
import type { Platform } from '../model/spec/platform.ts';

/**
 * Reads something of a cluster once, from its source in the spec; undefined for a cluster that is not read at all. Rejects when it
 * cannot be read.
 */
export async function readCluster<T>(
  platform: Platform,
  name: string,
  read: { readonly folder: (path: string) => Promise<T>; readonly api: (client: KubeClient) => Promise<T> },
): Promise<T | undefined> {
  const source = platform.clusters.get(name)?.spec.source;
  if (source === undefined || 'none' in source) return undefined;
  const { sourcePlace } = await import('./cluster-source.ts');
  const place = sourcePlace(platform, name, {});
  if ('manifests' in place) return read.folder(place.manifests);
  const { connect } = await import('../kube/api/connect.ts');
  const client = await connect(place);
  try {
    return await read.api(client);
  } finally {
    await client.close();
  }
}
