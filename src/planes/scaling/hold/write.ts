import { ApiError, type KubeClient } from '../../../kube/api/client.ts';
import { messageOf } from '../../../model/values.ts';
import type { MinimumChange } from './plan.ts';

/** Whoever looks into `metadata.managedFields` of an autoscaler finds its least replicas under this name. */
const fieldManager = 'tideline-scaling';

/**
 * Sets the least replicas of an autoscaler, and nothing else of it, by server-side apply. Resolves with why it could not be done: somebody else
 * owns the field, whose value stays, or the API refuses it.
 */
export async function writeMinimum(
  client: Pick<KubeClient, 'request'>,
  { namespace, name, to }: MinimumChange,
  timeoutMs: number,
): Promise<string | undefined> {
  try {
    await client.request({
      method: 'PATCH',
      path: `/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers/${name}`,
      query: { fieldManager },
      contentType: 'application/apply-patch+yaml',
      body: {
        apiVersion: 'autoscaling/v2',
        kind: 'HorizontalPodAutoscaler',
        metadata: { namespace, name },
        spec: { minReplicas: to },
      },
      timeoutMs,
    });
    return undefined;
  } catch (error) {
    if (error instanceof ApiError && error.status === 409)
      return `minReplicas of ${namespace}/${name} belongs to somebody else, who would write it again: leave the field out of what that tool applies (${error.message})`;
    return messageOf(error);
  }
}
