import type { ClusterState } from '../../../kube/source.ts';
import { parsePrefix } from '../../../model/address.ts';
import type { NetworkRefusal } from '../plan.ts';
import type { Wanted, WantedPrefixes } from './wanted.ts';

/**
 * The other source of pods' prefixes: `Node.spec.podCIDRs`, for clusters in which each node hands out the addresses of
 * its pods itself.
 */
export function compilePodCidrs(state: ClusterState, node: string): WantedPrefixes {
  const wanted: Wanted[] = [];
  const refusals: NetworkRefusal[] = [];
  for (const text of state.objects.Node.get(node)?.spec?.podCIDRs ?? []) {
    const prefix = parsePrefix(text);
    if (prefix === undefined)
      refusals.push({ subject: `Node/${node}`, reason: 'BadPrefix', message: `podCIDR "${text}"` });
    else wanted.push({ prefix, because: `podCIDR ${prefix.text} of worker ${node}` });
  }
  return { wanted, refusals, notices: [] };
}
