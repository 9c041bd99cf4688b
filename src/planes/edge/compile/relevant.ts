import type { Ingress } from '../../../kube/kinds/ingress.ts';
import type { Kind } from '../../../kube/kinds.ts';
import { sourceSelection } from '../../../kube/needs.ts';
import { deepEqual } from '../../../kube/objects/equal.ts';
import type { ClusterChange, ClusterState } from '../../../kube/source.ts';
import { edgeNeeds } from '../needs.ts';

/** Every kind that the edge follows, but for EndpointSlices, which go past the compile, and Ingresses, which are looked at. */
const compiledKinds: readonly Kind[] = sourceSelection(edgeNeeds).kinds.filter(
  (kind) => kind !== 'EndpointSlice' && kind !== 'Ingress',
);

/**
 * True when the table may change. It cannot when only the status of Ingresses changed: the leading agent writes that to
 * every Ingress, and no agent should compile because of it.
 */
export function needsCompile(before: ClusterState, { state, changed }: ClusterChange): boolean {
  if (compiledKinds.some((kind) => changed.has(kind))) return true;
  for (const key of changed.get('Ingress') ?? [])
    if (!onlyStatus(before.objects.Ingress.get(key), state.objects.Ingress.get(key))) return true;
  return false;
}

function onlyStatus(before: Ingress | undefined, after: Ingress | undefined): boolean {
  if (before === undefined || after === undefined) return false;
  return !deepEqual(before.status, after.status) && deepEqual(compared(before), compared(after));
}

function compared({ metadata, spec }: Ingress): object {
  const { resourceVersion: _, ...rest } = metadata;
  return { metadata: rest, spec };
}
