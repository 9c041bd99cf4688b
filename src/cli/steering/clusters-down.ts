import { clustersLost } from '../../model/platform/places.ts';
import { InputError } from '../../model/problem.ts';
import type { Platform } from '../../model/spec/platform.ts';
import { unknownName } from '../../model/spec/unknown-name.ts';
import type { Down } from '../../observe/why/suppose.ts';

/**
 * The clusters that are down when these objects are: a cluster in several sites, when all of them are. Throws an InputError for a
 * name that the spec does not have.
 */
export function clustersDown(platform: Platform, downs: readonly Down[]): readonly string[] {
  const names = { Site: [...platform.sites.keys()], Cluster: [...platform.clusters.keys()] };
  const sites = new Set<string>();
  const clusters = new Set<string>();
  for (const { kind, name } of downs) {
    if (kind !== 'Site' && kind !== 'Cluster') continue;
    if (!names[kind].includes(name)) throw new InputError(unknownName(kind, name, names[kind]));
    (kind === 'Site' ? sites : clusters).add(name);
  }
  return clustersLost(platform, { sites, clusters });
}
