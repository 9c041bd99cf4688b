import { ApiError } from '../../../../kube/api/client.ts';
import { messageOf } from '../../../../model/values.ts';
import { type Clock, sleep } from '../../../../runtime/clock.ts';
import { type ClusterApi, isGone } from '../cluster-objects.ts';
import { controllerOf, isMirror, isOver, nameOfPod, type PodView, podsOn } from '../pods.ts';
import type { DrainReason } from './reasons.ts';

/** Something that ends a drain. */
export interface DrainFault {
  readonly reason: DrainReason;
  readonly message: string;
}

export interface EvictOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The whole drain of the worker may take so long. */
  readonly patienceMs: number;
  readonly everyMs: number;
}

/** The pods that a drain leaves: those of DaemonSets come back at once, and the kubelet makes mirrors itself. */
function stays(pod: PodView): boolean {
  return isMirror(pod) || controllerOf(pod)?.kind === 'DaemonSet';
}

/** What has to go from a node before it may be touched. */
export function toEvict(pods: readonly PodView[]): readonly PodView[] {
  return pods.filter((pod) => !stays(pod));
}

/** Of these, the pods that nobody would make again. What is over already is nobody's loss. */
export function unmanaged(pods: readonly PodView[]): readonly DrainFault[] {
  return pods
    .filter((pod) => controllerOf(pod) === undefined && !isOver(pod))
    .map((pod) => ({
      reason: 'PodUnmanaged',
      message: `${nameOfPod(pod)} has no controller that would make it again`,
    }));
}

/** Of these, the names of pods that lose what they keep on the disk of the node. */
export function losing(pods: readonly PodView[]): readonly string[] {
  return pods.filter(({ spec }) => spec.volumes.some(({ emptyDir }) => emptyDir !== undefined)).map(nameOfPod);
}

/**
 * Evicts the pods of a node, again and again where a PodDisruptionBudget does not allow it yet, and waits until they are gone. Resolves with
 * what stays when the time is over, and at once with pods that nobody would make again: they may have come since the last look. Rejects when it is aborted.
 */
export async function evictAll(api: ClusterApi, node: string, options: EvictOptions): Promise<readonly DrainFault[]> {
  const { clock, signal, patienceMs, everyMs } = options;
  const endMs = clock.monotonic() + patienceMs;
  for (;;) {
    signal.throwIfAborted();
    const left = toEvict(await podsOn(api, node, signal));
    if (left.length === 0) return [];
    const bare = unmanaged(left.filter(({ metadata }) => metadata.deletionTimestamp === undefined));
    if (bare.length > 0) return bare;
    const refused = await Promise.all(left.map(async (pod) => evict(api, pod, signal)));
    const faults = refused.filter((fault) => fault !== undefined);
    const final = faults.filter(({ reason }) => reason === 'EvictionRefused');
    if (final.length > 0) return final;
    if (clock.monotonic() >= endMs) return faults.length > 0 ? faults : left.map(still);
    await sleep(clock, everyMs);
  }
}

const still = (pod: PodView): DrainFault => ({
  reason: 'PodStays',
  message: `${nameOfPod(pod)} is evicted and still there`,
});

/** Asks once. A pod that ends already is not asked again, and one of another uid is another pod. */
async function evict(api: ClusterApi, pod: PodView, signal: AbortSignal): Promise<DrainFault | undefined> {
  const { name, namespace, uid, deletionTimestamp } = pod.metadata;
  if (deletionTimestamp !== undefined) return undefined;
  try {
    await api.request({
      method: 'POST',
      path: `/api/v1/namespaces/${namespace}/pods/${name}/eviction`,
      body: {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name, namespace },
        deleteOptions: { preconditions: { uid } },
      },
      signal,
    });
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (isGone(error) || (error instanceof ApiError && error.status === 409)) return undefined;
    const passes = error instanceof ApiError && (error.status === 429 || error.status === 0 || error.status > 500);
    return {
      reason: passes ? 'EvictionBlocked' : 'EvictionRefused',
      message: `${nameOfPod(pod)}: ${messageOf(error)}`,
    };
  }
}
