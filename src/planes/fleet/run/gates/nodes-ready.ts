import { z } from 'zod';
import { ask } from '../ask.ts';
import { readOrGone } from '../cluster-objects.ts';
import type { Gate } from '../handlers.ts';
import { type FleetWorld, having } from '../world.ts';
import { missing, unheard } from './texts.ts';

export const NodeView = z.object({
  status: z
    .object({
      conditions: z
        .array(z.object({ type: z.string(), status: z.string(), message: z.string().optional() }))
        .default([]),
      nodeInfo: z.object({ kubeletVersion: z.string() }).optional(),
    })
    .prefault({}),
});
export type NodeView = z.infer<typeof NodeView>;

const KubeletView = z.object({ healthy: z.boolean(), problem: z.string().optional() });

/**
 * The workers of the wave are Ready, with the kubelet of their documents. Each is asked itself as well: a Node stays Ready for forty seconds and more
 * after its kubelet said so last.
 */
export function nodesReady(world: FleetWorld): Gate {
  return async ({ servers }, context) => {
    const { wave, signal } = context;
    const api = await world.api(wave.cluster);
    const workers = having(world, servers, 'worker');
    const clauses = workers.map(async (name) => {
      const node = await readOrGone(api, `/api/v1/nodes/${name}`, NodeView, signal);
      return judgeNode(name, node, world.documents.get(name)?.artifacts['kubelet']?.version);
    });
    const { said, problems } = await ask(context, workers, 'tideline_health.kubelet', KubeletView);
    const ill = [...said].flatMap(([name, { healthy, problem }]) =>
      healthy ? [] : [`the kubelet of ${name} is not healthy (${problem ?? 'it does not say why'})`],
    );
    return missing([...(await Promise.all(clauses)).flat(), ...unheard(problems), ...ill]);
  };
}

/** What is missing for one node; `version` is the kubelet's of its document. */
export function judgeNode(name: string, node: NodeView | undefined, version: string | undefined): readonly string[] {
  if (node === undefined) return [`${name} is no Node of the cluster`];
  const ready = node.status.conditions.find(({ type }) => type === 'Ready');
  const runs = node.status.nodeInfo?.kubeletVersion;
  return [
    ...(ready?.status === 'True'
      ? []
      : [`${name} is not Ready (${ready?.message ?? 'its kubelet has not said so yet'})`]),
    ...(version === undefined || runs === `v${version}`
      ? []
      : [`${name} has the kubelet ${runs ?? 'of an unknown version'} and not v${version}`]),
  ];
}
