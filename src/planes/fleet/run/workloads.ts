import { z } from 'zod';
import { type ClusterApi, readOrGone } from './cluster-objects.ts';
import { controllerOf, isMirror, type PodView } from './pods.ts';

/** What ran on a worker before a run drained it; it stands in an annotation of the Node. */
export const Drained = z.object({
  /** The checksum of the run that wrote it last. */
  run: z.string(),
  /** Whether a run closed the node to new pods, or found it closed by somebody else. */
  cordoned: z.boolean(),
  /** Whether no run has given the node back yet. */
  away: z.boolean().optional(),
  /** By `KIND/NAMESPACE/NAME` of the controller: how many of its pods were Ready in the whole cluster. */
  ready: z.record(z.string(), z.number()),
  /** DaemonSets that had a pod there, as `NAMESPACE/NAME`. */
  daemons: z.array(z.string()),
});
export type Drained = z.infer<typeof Drained>;

/** Resources of the controllers that say how many of their pods are Ready. Those of a Job come and go by themselves. */
const counted: Readonly<Record<string, string>> = {
  ReplicaSet: '/apis/apps/v1/namespaces/%/replicasets/',
  ReplicationController: '/api/v1/namespaces/%/replicationcontrollers/',
  StatefulSet: '/apis/apps/v1/namespaces/%/statefulsets/',
};

const Controller = z.object({
  spec: z.object({ replicas: z.number().optional() }).prefault({}),
  status: z.object({ readyReplicas: z.number().optional() }).prefault({}),
});

/** How many pods a controller wants, and how many are Ready. */
export interface Replicas {
  readonly wanted: number;
  readonly ready: number;
}

/** Undefined when there is no such controller any more. */
export async function replicasOf(api: ClusterApi, key: string, signal: AbortSignal): Promise<Replicas | undefined> {
  const [kind = '', namespace = '', name = ''] = key.split('/');
  const path = `${counted[kind]?.replace('%', namespace)}${name}`;
  const found = await readOrGone(api, path, Controller, signal);
  return found && { wanted: found.spec.replicas ?? 1, ready: found.status.readyReplicas ?? 0 };
}

export async function daemonIsThere(api: ClusterApi, daemon: string, signal: AbortSignal): Promise<boolean> {
  const [namespace, name] = daemon.split('/');
  const path = `/apis/apps/v1/namespaces/${namespace}/daemonsets/${name}`;
  return (await readOrGone(api, path, z.unknown(), signal)) !== undefined;
}

/** What runs on a node that has these pods. */
export async function workloadsOf(
  api: ClusterApi,
  pods: readonly PodView[],
  signal: AbortSignal,
): Promise<Pick<Drained, 'ready' | 'daemons'>> {
  const owned = pods
    .filter((pod) => !isMirror(pod))
    .flatMap((pod) => {
      const owner = controllerOf(pod);
      return owner === undefined ? [] : [{ ...owner, namespace: pod.metadata.namespace }];
    });
  const keys = owned.flatMap(({ kind, namespace, name }) => (kind in counted ? [`${kind}/${namespace}/${name}`] : []));
  const ready = await Promise.all(
    [...new Set(keys)].toSorted().map(async (key) => [key, (await replicasOf(api, key, signal))?.ready ?? 0] as const),
  );
  const daemons = owned.flatMap(({ kind, namespace, name }) => (kind === 'DaemonSet' ? [`${namespace}/${name}`] : []));
  return { ready: Object.fromEntries(ready), daemons: [...new Set(daemons)].toSorted() };
}

/** What this run wrote of a node before; undefined for what another run wrote, or somebody else. */
export function drainedBy(run: string, annotation: string | undefined): Drained | undefined {
  const drained = read(annotation);
  return drained?.run === run ? drained : undefined;
}

/** What any run wrote of a node that none has given back: its successor takes it over, e.g. when the spec was mended after a gate had failed. */
export function leftByAny(annotation: string | undefined): Drained | undefined {
  const drained = read(annotation);
  return (drained?.away ?? drained?.cordoned) ? drained : undefined;
}

function read(annotation: string | undefined): Drained | undefined {
  return annotation === undefined ? undefined : Drained.safeParse(parsed(annotation)).data;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
