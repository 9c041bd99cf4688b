import type { z } from 'zod';
import { ApiError, type KubeClient } from '../../../kube/api/client.ts';
import { apiGroup } from '../../../model/contract.ts';

/** A cluster, as far as it is asked and changed here. */
export type ClusterApi = Pick<KubeClient, 'request'>;

/** Of a Node that a run has drained: what ran on it before, so that another command, or the same one after a crash, knows it. */
export const drainedAnnotation = `${apiGroup}/fleet-drained`;

/** Reads one object; undefined when it is not there. */
export async function readOrGone<T>(
  api: ClusterApi,
  path: string,
  shape: z.ZodType<T>,
  signal: AbortSignal,
): Promise<T | undefined> {
  try {
    return shape.parse(await api.request({ path, signal }));
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

export function isGone(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}

/** Deletes an object; one that is gone already is no fault. */
export async function remove(api: ClusterApi, path: string, signal?: AbortSignal): Promise<void> {
  try {
    await api.request({ method: 'DELETE', path, ...(signal === undefined ? {} : { signal }) });
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/** A change of some fields of an object; with null a field goes. */
export async function patch(api: ClusterApi, path: string, body: object, signal: AbortSignal): Promise<void> {
  await api.request({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json', signal });
}
