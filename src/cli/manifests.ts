import { resolve } from 'node:path';
import { InputError } from '../model/problem.ts';
import type { Platform } from '../model/spec/platform.ts';

/** The manifest folder to read a cluster from: the one given, else the Cluster's source. Throws InputError without either. */
export function manifestFolder(platform: Platform, cluster: string, given: string | undefined): string {
  if (given !== undefined) return resolve(given);
  const source = platform.clusters.get(cluster)?.spec.source;
  if (source !== undefined && 'manifests' in source) return resolve(platform.folderOf(cluster), source.manifests);
  throw new InputError([
    {
      reason: 'NoManifestFolder',
      object: `Cluster/${cluster}`,
      path: 'spec.source',
      message: 'it is no manifest folder, which is all that agents read today',
      fix: 'name a folder with --manifests',
    },
  ]);
}
