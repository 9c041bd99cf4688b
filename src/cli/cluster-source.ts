import { resolve } from 'node:path';
import type { KubeClient } from '../kube/api/client.ts';
import { type Need, sourceSelection } from '../kube/needs.ts';
import type { ClusterSource, ClusterState } from '../kube/source.ts';
import { InputError } from '../model/problem.ts';
import type { Platform } from '../model/spec/platform.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { Registry } from '../runtime/metrics.ts';

/** What the command line says about where the cluster is read; it overrides the Cluster's own source. */
export interface SourceArguments {
  readonly manifests?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly inCluster?: boolean;
}

/** How a cluster is read, and the client for its kube-apiserver, where there is one; the composition root closes the client. */
export interface ClusterAccess {
  readonly source: ClusterSource;
  readonly client?: KubeClient;
}

/** Where a cluster is read. */
export type SourcePlace =
  | { readonly manifests: string }
  | { readonly kubeconfig: string; readonly context?: string }
  | { readonly inCluster: { readonly host: string; readonly port: string } };

/**
 * Where to read a cluster: the place that the arguments name, else the Cluster's source. Throws InputError when there is
 * neither.
 */
export function sourcePlace(
  platform: Platform,
  cluster: string,
  given: SourceArguments,
  env: NodeJS.ProcessEnv = process.env,
): SourcePlace {
  const named = namedPlace(given, env);
  if (named !== undefined) return named;
  const context = given.context === undefined ? {} : { context: given.context };
  const source = platform.clusters.get(cluster)?.spec.source;
  const folder = platform.folderOf(cluster);
  if (source !== undefined && 'manifests' in source) return { manifests: resolve(folder, source.manifests) };
  if (source !== undefined && 'kubeconfig' in source) {
    const own = source.context === undefined ? {} : { context: source.context };
    return { kubeconfig: resolve(folder, source.kubeconfig), ...own, ...context };
  }
  throw new InputError({
    reason: 'NoClusterSource',
    object: `Cluster/${cluster}`,
    path: 'spec.source',
    message: 'it says neither manifests nor kubeconfig, so there is nothing to read the cluster from',
    fix: 'name a folder with --manifests, a file with --kubeconfig, or use --in-cluster',
  });
}

/** The place that the arguments name. Throws InputError when they name two. */
export function namedPlace(given: SourceArguments, env: NodeJS.ProcessEnv = process.env): SourcePlace | undefined {
  const ways = [given.manifests, given.kubeconfig, given.inCluster === true ? 'x' : undefined];
  if (ways.filter((way) => way !== undefined).length > 1)
    throw new InputError({
      reason: 'OptionsExclude',
      message: '--manifests, --kubeconfig and --in-cluster exclude each other',
      fix: 'give one of them',
    });
  if (given.manifests !== undefined) return { manifests: resolve(given.manifests) };
  if (given.inCluster === true) return { inCluster: podIdentity(env) };
  const context = given.context === undefined ? {} : { context: given.context };
  return given.kubeconfig === undefined ? undefined : { kubeconfig: resolve(given.kubeconfig), ...context };
}

/** The address of the apiserver, which every pod has in these two variables. */
function podIdentity(env: NodeJS.ProcessEnv): { readonly host: string; readonly port: string } {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  if (host === undefined || host === '' || port === undefined || port === '')
    throw new InputError({
      reason: 'NotInPod',
      message: '--in-cluster: KUBERNETES_SERVICE_HOST and _PORT are not set; this is no pod',
      fix: 'read the cluster by --kubeconfig',
    });
  return { host, port };
}

/**
 * Makes the source of a cluster. Only the code of the source that is used is loaded: an agent that reads a folder does not
 * load the Kubernetes client, and the other way round.
 */
export async function clusterSource(options: {
  readonly place: SourcePlace;
  readonly needs: readonly Need[];
  /** The file by which a person accepts an implausible loss. */
  readonly acceptFile: string;
  /** Reads the state that is in force already, see `kube/last-good.ts`. */
  readonly lastGood: () => Promise<ClusterState | undefined>;
  readonly clock: Clock;
  readonly log: Log;
  readonly registry: Registry;
}): Promise<ClusterAccess> {
  const { place, needs, acceptFile, clock, log, registry } = options;
  const selection = sourceSelection(needs);
  if (selection.kinds.length === 0) {
    if ('manifests' in place) return { source: noCluster };
    const { connect } = await import('../kube/api/connect.ts');
    return { source: noCluster, client: await connect({ ...place, clock, registry, log }) };
  }
  const lastGood = options.lastGood();
  if ('manifests' in place) {
    const { createManifestSource } = await import('../kube/manifests/source.ts');
    return { source: createManifestSource({ folder: place.manifests, lastGood, clock, log, registry }) };
  }
  const { connect } = await import('../kube/api/connect.ts');
  const { createKubernetesSource } = await import('../kube/watch/source.ts');
  const client = await connect({ ...place, clock, registry, log });
  const source = createKubernetesSource({
    client,
    ...selection,
    acceptFile,
    lastGood,
    clock,
    random: Math.random,
    log,
    registry,
  });
  return { source, client };
}

/** The source of an agent that reads nothing of a cluster: it never becomes live. */
export const noCluster: ClusterSource = {
  start() {},
  status: () => ({ phase: 'syncing' }),
  doubting: () => ({ doubts: [], accepted: [] }),
  stop: async () => {},
};

/** Where a cluster is read, as text for the log, without secrets. */
export function describePlace(place: SourcePlace): string {
  if ('manifests' in place) return place.manifests;
  return 'kubeconfig' in place ? place.kubeconfig : 'in-cluster';
}
