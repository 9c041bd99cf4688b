import { z } from 'zod';
import { ApiError, type KubeClient } from '../../kube/api/client.ts';
import type { ScalingTarget } from '../../model/spec/kinds.ts';
import { messageOf } from '../../model/values.ts';
import type { Observed } from './compile/observed.ts';

const Autoscaler = z.object({
  spec: z.object({
    scaleTargetRef: z.object({ kind: z.string(), name: z.string() }),
    minReplicas: z.number().default(1),
    maxReplicas: z.number(),
  }),
});
const Scaled = z.object({ status: z.object({ readyReplicas: z.number().default(0) }).prefault({}) });

/** Resources of apps/v1 that an autoscaler may scale. */
const scaledKinds: Readonly<Record<string, string>> = { Deployment: 'deployments', StatefulSet: 'statefulsets' };

/** Reads the replicas of a target. Never rejects: what cannot be read is said. */
export async function observe(
  client: Pick<KubeClient, 'request'>,
  { workload }: ScalingTarget['spec'],
  timeoutMs: number,
): Promise<Observed> {
  const { kind, namespace, name } = workload;
  const read = async <T>(path: string, form: z.ZodType<T>): Promise<T> =>
    form.parse(await client.request({ path, timeoutMs }));
  const readyOf = async (scaled: string, of: string): Promise<number> => {
    const resource = scaledKinds[scaled];
    if (resource === undefined) throw new Error(`it scales a ${scaled}, whose replicas are not known here`);
    const found = await read(`/apis/apps/v1/namespaces/${namespace}/${resource}/${of}`, Scaled);
    return found.status.readyReplicas;
  };
  try {
    if (kind === 'Deployment') return { state: 'read', ready: await readyOf(kind, name) };
    const path = `/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers/${name}`;
    const { spec } = await read(path, Autoscaler);
    const ready = await readyOf(spec.scaleTargetRef.kind, spec.scaleTargetRef.name);
    const scales = { kind: spec.scaleTargetRef.kind, name: spec.scaleTargetRef.name };
    return { state: 'read', ready, autoscaler: { min: spec.minReplicas, max: spec.maxReplicas }, scales };
  } catch (error) {
    const gone = error instanceof ApiError && error.status === 404;
    return {
      state: 'unread',
      why: gone ? `there is no ${kind} ${namespace}/${name}, or what it scales is gone` : messageOf(error),
    };
  }
}
