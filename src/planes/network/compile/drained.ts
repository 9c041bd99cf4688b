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

/** Somebody may be asking a pod that is Ready, or of which nothing says that it is not, so its routes stay until it has gone. */
export function drainStep({ state, node, drained }: Drained): DrainStep {
  const pods = drained === 'at once' ? [] : podsOn(state, node);
  const [ready, unknown] = [pods.filter(({ is }) => is === 'True'), pods.filter(({ is }) => isUnknown(is))];
  if (ready.length + unknown.length === 0) return { withdraw: true };
  const parts = [counted(ready, 'Ready', ''), counted(unknown, '', ' without a known Ready condition')];
  const message = `a Drain waits for ${parts.filter((part) => part !== '').join(' and ')}`;
  return {
    withdraw: false,
    notice: { subject: `Worker/${node}`, reason: 'DrainWaits', message, count: ready.length + unknown.length },
  };
}

interface PodOn {
  /** `namespace/name`. */
  readonly key: string;
  /** The status of its condition Ready: `True`, `False`, `Unknown`, or undefined where it has none. */
  readonly is: string | undefined;
}

/**
 * The pods on a node that have not finished, by name. Those with the address of the server need no route of ours, and those of a
 * DaemonSet never leave.
 */
function podsOn(state: ClusterState, node: string): readonly PodOn[] {
  return [...state.objects.Pod]
    .filter(([, { metadata, spec, status }]) => {
      const stays = metadata.ownerReferences?.some((owner) => owner.controller === true && owner.kind === 'DaemonSet');
      const hasFinished = status?.phase === 'Succeeded' || status?.phase === 'Failed';
      return spec?.nodeName === node && spec.hostNetwork !== true && !hasFinished && stays !== true;
    })
    .map(([key, { status }]) => ({ key, is: status?.conditions?.find(({ type }) => type === 'Ready')?.status }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

/** A folder of manifests may be cut short, and a new Pod has no conditions yet: neither says that nobody asks it. */
function isUnknown(is: string | undefined): boolean {
  return is !== 'True' && is !== 'False';
}

/** `4 Ready pods: a, b, c and 1 more`; the empty text for none. */
function counted(pods: readonly PodOn[], before: string, behind: string): string {
  if (pods.length === 0) return '';
  const some = pods.slice(0, 3).map(({ key }) => key);
  const rest = pods.length > 3 ? ` and ${pods.length - 3} more` : '';
  const words = [pods.length, before, pods.length === 1 ? 'pod' : 'pods'].filter((word) => word !== '').join(' ');
  return `${words}${behind}: ${some.join(', ')}${rest}`;
}
