import type { ClusterState } from '../../../kube/source.ts';
import type { WorkerDrain } from '../../../model/platform/drains.ts';
import type { NetworkNotice } from '../plan.ts';

interface Drained {
  readonly state: ClusterState;
  readonly node: string;
  readonly drained: WorkerDrain;
}

/** What a Drain asks for now: to withdraw the routes of pods, or to wait, and what a person should know of that. */
type DrainStep = { readonly withdraw: true } | { readonly withdraw: false; readonly notice: NetworkNotice };

/** Somebody may be asking a Ready pod something, so its routes stay until it has gone. */
export function drainStep({ state, node, drained }: Drained): DrainStep {
  const ready = drained === 'at once' ? [] : readyPods(state, node);
  if (ready.length === 0) return { withdraw: true };
  const some = ready.slice(0, 3).join(', ');
  const rest = ready.length > 3 ? ` and ${ready.length - 3} more` : '';
  const message = `a Drain waits for ${ready.length} Ready ${ready.length === 1 ? 'pod' : 'pods'}: ${some}${rest}`;
  return { withdraw: false, notice: { subject: `Worker/${node}`, reason: 'DrainWaits', message } };
}

/**
 * The Ready pods on a node, as `namespace/name`. Those with the address of the server need no route of ours, and those of a DaemonSet
 * never leave.
 */
function readyPods(state: ClusterState, node: string): readonly string[] {
  return [...state.objects.Pod]
    .filter(([, { metadata, spec, status }]) => {
      const isReady = status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;
      const stays = metadata.ownerReferences?.some((owner) => owner.controller === true && owner.kind === 'DaemonSet');
      return spec?.nodeName === node && spec.hostNetwork !== true && isReady && stays !== true;
    })
    .map(([key]) => key)
    .toSorted();
}
