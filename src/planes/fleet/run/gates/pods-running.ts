import { z } from 'zod';
import { type ClusterApi, drainedAnnotation, readOrGone } from '../cluster-objects.ts';
import type { Gate } from '../handlers.ts';
import { controllerOf, isOver, isReady, nameOfPod, type PodView, podsOn } from '../pods.ts';
import { type Drained, daemonIsThere, drainedBy, type Replicas, replicasOf } from '../workloads.ts';
import { type FleetWorld, having } from '../world.ts';
import { missing } from './texts.ts';

const Annotated = z.object({
  metadata: z.object({ annotations: z.record(z.string(), z.string()).default({}) }),
});

/** What ran on the workers of the wave before it runs, there or elsewhere, and every pod on them is Ready. */
export function podsRunning(world: FleetWorld): Gate {
  return async ({ servers }, { wave, run, signal }) => {
    const api = await world.api(wave.cluster);
    const clauses = having(world, servers, 'worker').map(async (node) => {
      const found = await readOrGone(api, `/api/v1/nodes/${node}`, Annotated, signal);
      const drained = drainedBy(run.checksum, found?.metadata.annotations[drainedAnnotation]);
      return judgePods(await look(api, node, drained, signal));
    });
    return missing((await Promise.all(clauses)).flat());
  };
}

/** A node, what ran on it before, and what became of that. */
export interface NodePods {
  readonly node: string;
  readonly pods: readonly PodView[];
  readonly drained: Drained | undefined;
  /** By controller; one that is gone is not there. */
  readonly replicas: ReadonlyMap<string, Replicas>;
  /** Those of `drained` that still exist. */
  readonly daemons: readonly string[];
}

async function look(
  api: ClusterApi,
  node: string,
  drained: Drained | undefined,
  signal: AbortSignal,
): Promise<NodePods> {
  const replicas = new Map<string, Replicas>();
  for (const key of Object.keys(drained?.ready ?? {})) {
    const found = await replicasOf(api, key, signal);
    if (found !== undefined) replicas.set(key, found);
  }
  const daemons: string[] = [];
  for (const daemon of drained?.daemons ?? []) if (await daemonIsThere(api, daemon, signal)) daemons.push(daemon);
  return { node, pods: await podsOn(api, node, signal), drained, replicas, daemons };
}

/** A controller that wants fewer pods than before is held to those. */
export function judgePods({ node, pods, drained, replicas, daemons }: NodePods): readonly string[] {
  const here = pods.filter((pod) => !isOver(pod) && pod.metadata.deletionTimestamp === undefined);
  const lacking = Object.entries(drained?.ready ?? {}).flatMap(([key, before]) => {
    const now = replicas.get(key);
    const due = Math.min(before, now?.wanted ?? 0);
    return now === undefined || now.ready >= due ? [] : [`${key} has ${now.ready} of ${due} pods Ready`];
  });
  const running = new Set(
    here.flatMap((pod) => {
      const owner = controllerOf(pod);
      return owner?.kind === 'DaemonSet' ? [`${pod.metadata.namespace}/${owner.name}`] : [];
    }),
  );
  return [
    ...lacking,
    ...daemons.filter((daemon) => !running.has(daemon)).map((daemon) => `DaemonSet ${daemon} has no pod on ${node}`),
    ...here.filter((pod) => !isReady(pod)).map((pod) => `${nameOfPod(pod)} on ${node} is not Ready`),
  ];
}
