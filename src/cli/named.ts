import { InputError } from '../model/problem.ts';
import type { Cluster, EdgePool } from '../model/spec/kinds.ts';
import type { Platform } from '../model/spec/platform.ts';

/** The Cluster that `--cluster` names. Throws an InputError that says which there are; `where` is the platform, as people name it. */
export function clusterNamed(platform: Platform, name: string, where: string): Cluster {
  return named(platform.clusters, { option: '--cluster', kind: 'Cluster', name, where });
}

/** The EdgePool that `--pool` names, likewise. */
export function poolNamed(platform: Platform, name: string, where: string): EdgePool {
  return named(platform.edgePools, { option: '--pool', kind: 'EdgePool', name, where });
}

function named<T>(
  objects: ReadonlyMap<string, T>,
  asked: { readonly option: string; readonly kind: string; readonly name: string; readonly where: string },
): T {
  const { option, kind, name, where } = asked;
  const object = objects.get(name);
  if (object !== undefined) return object;
  const known = [...objects.keys()].join(', ') || 'none';
  throw new InputError({
    reason: 'UnknownName',
    message: `${option}: no ${kind} ${JSON.stringify(name)} in ${where} (there are: ${known})`,
    fix: `name one of them with ${option}`,
  });
}
