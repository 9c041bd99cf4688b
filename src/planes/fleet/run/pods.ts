import { z } from 'zod';
import type { ClusterApi } from './cluster-objects.ts';

const Owner = z.object({ kind: z.string(), name: z.string(), controller: z.boolean().optional() });

/** A pod, as far as drains and gates look at it. */
export const PodView = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    uid: z.string(),
    deletionTimestamp: z.string().optional(),
    annotations: z.record(z.string(), z.string()).default({}),
    ownerReferences: z.array(Owner).default([]),
  }),
  spec: z.object({
    nodeName: z.string().optional(),
    volumes: z.array(z.object({ emptyDir: z.unknown().optional() })).default([]),
  }),
  status: z
    .object({
      phase: z.string().optional(),
      conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
    })
    .prefault({}),
});
export type PodView = z.infer<typeof PodView>;

const PodList = z.object({ items: z.array(PodView) });

/** The pods that are bound to a node. */
export async function podsOn(api: ClusterApi, node: string, signal: AbortSignal): Promise<readonly PodView[]> {
  const query = { fieldSelector: `spec.nodeName=${node}` };
  return PodList.parse(await api.request({ path: '/api/v1/pods', query, signal })).items;
}

export const nameOfPod = ({ metadata: { namespace, name } }: PodView): string => `${namespace}/${name}`;

/** Whoever makes the pod again when it is gone. */
export function controllerOf({ metadata }: PodView): z.infer<typeof Owner> | undefined {
  return metadata.ownerReferences.find(({ controller }) => controller === true);
}

export function isOver({ status }: PodView): boolean {
  return status.phase === 'Succeeded' || status.phase === 'Failed';
}

export function isReady({ status }: PodView): boolean {
  return status.conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True');
}

/** The kubelet makes it from a file of its own; in the API it is an image. */
export function isMirror({ metadata }: PodView): boolean {
  return metadata.annotations['kubernetes.io/config.mirror'] !== undefined;
}
