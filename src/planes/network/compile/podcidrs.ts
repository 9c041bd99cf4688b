import type { ClusterState } from '../../../kube/source.ts';
import { overlaps, type Prefix, parsePrefix } from '../../../model/address.ts';
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
    const other = prefix === undefined ? undefined : overlapping(state, node, prefix);
    if (prefix === undefined)
      refusals.push({ subject: `Node/${node}`, reason: 'BadPrefix', message: `podCIDR "${text}"` });
    else if (other !== undefined)
      refusals.push({
        subject: prefix.text,
        reason: 'PrefixOverlaps',
        message: `Node ${other} has a podCIDR in common`,
      });
    else wanted.push({ prefix, because: `podCIDR ${prefix.text} of worker ${node}` });
  }
  return { wanted, refusals, notices: [] };
}

/** Another Node with a podCIDR that shares an address with this one; only a folder of manifests shows other Nodes. */
function overlapping(state: ClusterState, node: string, prefix: Prefix): string | undefined {
  const others = [...state.objects.Node.values()].filter(({ metadata }) => metadata.name !== node);
  const shares = (text: string): boolean => {
    const theirs = parsePrefix(text);
    return theirs !== undefined && overlaps(theirs, prefix);
  };
  return others.find(({ spec }) => spec?.podCIDRs?.some(shares))?.metadata.name;
}

/** The podCIDRs of every Node that can be seen. */
export function podCidrsOf(state: ClusterState): readonly Prefix[] {
  const texts = [...state.objects.Node.values()].flatMap(({ spec }) => spec?.podCIDRs ?? []);
  return texts.map(parsePrefix).filter((prefix) => prefix !== undefined);
}
