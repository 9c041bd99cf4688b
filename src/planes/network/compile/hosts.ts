import type { IPAMBlock } from '../../../kube/kinds/ipam-block.ts';
import type { ClusterState } from '../../../kube/source.ts';
import { type Address, hostPrefix, type Prefix, parsePrefix } from '../../../model/address.ts';
import type { NetworkRefusal } from '../plan.ts';
import { addressAt } from './offset.ts';
import { Pools } from './pools.ts';
import type { Wanted, WantedPrefixes } from './wanted.ts';

/**
 * Host routes: addresses that pods of this node use in blocks it does not announce, borrowed from another node's block
 * or left over in a released one. A block that the node is still claiming gets no host routes.
 */
export function compileHosts(state: ClusterState, node: string, announced: ReadonlySet<string>): WantedPrefixes {
  const pools = new Pools(state);
  const claiming = pendingOf(state, node);
  const wanted: Wanted[] = [];
  const refusals: NetworkRefusal[] = [];
  for (const block of state.objects.IPAMBlock.values()) {
    if (block.spec?.deleted === true || block.spec?.affinity?.startsWith('virtual:') === true) continue;
    const prefix = parsePrefix(block.spec?.cidr ?? '');
    if (prefix === undefined || announced.has(prefix.text) || claiming.has(prefix.text)) continue;
    const addresses = inUse(block, prefix, node);
    if (addresses.length === 0) continue;
    const fault = pools.refusal(prefix);
    if (fault !== undefined) {
      refusals.push({
        subject: prefix.text,
        reason: fault.reason,
        message: `${addresses.length} host routes: ${fault.message}`,
      });
      continue;
    }
    const owner = block.spec?.affinity ?? 'nobody';
    for (const address of addresses)
      wanted.push({
        prefix: hostPrefix(address),
        because: `address of a pod of ${node} in block ${prefix.text} of ${owner}`,
      });
  }
  return { wanted, refusals };
}

/** Addresses of the block that this node uses; an address that is only kept from reuse (releasedAt) is not in use. */
function inUse(block: IPAMBlock, prefix: Prefix, node: string): readonly Address[] {
  const { allocations = [], attributes = [] } = block.spec ?? {};
  const ours = attributes.map(({ secondary, releasedAt }) => secondary?.['node'] === node && releasedAt === undefined);
  if (!ours.includes(true)) return [];
  return allocations.flatMap((attribute, index) => {
    const address = attribute !== null && ours[attribute] === true ? addressAt(prefix, index) : undefined;
    return address === undefined ? [] : [address];
  });
}

function pendingOf(state: ClusterState, node: string): ReadonlySet<string> {
  const pending = new Set<string>();
  for (const { spec } of state.objects.BlockAffinity.values()) {
    const prefix = spec?.node === node && spec.state === 'pending' ? parsePrefix(spec.cidr ?? '') : undefined;
    if (prefix !== undefined) pending.add(prefix.text);
  }
  return pending;
}
