import { InputError } from '../../model/problem.ts';
import type { Platform } from '../../model/spec/platform.ts';
import { namedPlace, type SourceArguments, type SourcePlace, sourcePlace } from '../cluster-source.ts';

/**
 * Where an agent reads its cluster. Without a folder the command line must say so: the platform, which could say it, is read from that
 * place itself. Throws InputError (`NoClusterSource`) when nothing does.
 */
export function placeOf(platform: Platform | undefined, cluster: string, given: SourceArguments): SourcePlace {
  if (platform !== undefined) return sourcePlace(platform, cluster, given);
  const named = namedPlace(given);
  if (named !== undefined) return named;
  throw new InputError({
    reason: 'NoClusterSource',
    object: `Cluster/${cluster}`,
    message: 'without --platform nothing says where the cluster is read',
    fix: 'give --kubeconfig, or --in-cluster in a pod',
  });
}

/** The Cluster of an agent without a folder. Throws InputError (`NoCluster`) when the command line does not name it. */
export function ownCluster({ cluster }: { readonly cluster?: string }): string {
  if (cluster !== undefined) return cluster;
  throw new InputError({
    reason: 'NoCluster',
    path: '--cluster',
    message: 'without --platform nothing says which Cluster this agent serves',
    fix: 'name it with --cluster, or give --platform',
  });
}
