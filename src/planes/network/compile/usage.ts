import type { IPAMBlock } from '../../../kube/kinds/ipam-block.ts';
import { type Address, addressAt, hostPrefix, type Prefix } from '../../../model/address.ts';
import type { KnownBlock, KnownBlocks } from './known.ts';

/**
 * Addresses of the block that pods use of nodes for which `by` is true; an address that is only kept from reuse (releasedAt) is
 * not in use.
 */
export function addressesUsed(block: IPAMBlock, prefix: Prefix, by: (node: string) => boolean): readonly Address[] {
  const { allocations = [], attributes = [] } = block.spec ?? {};
  const counts = attributes.map(({ secondary, releasedAt }) => {
    const node = secondary?.['node'];
    return node !== undefined && releasedAt === undefined && by(node);
  });
  if (!counts.includes(true)) return [];
  return allocations.flatMap((attribute, index) => {
    const address = attribute !== null && counts[attribute] === true ? addressAt(prefix, index) : undefined;
    return address === undefined ? [] : [address];
  });
}

/**
 * What of a node's block is in use elsewhere, and must leave this machine although the block is ours: addresses that pods of
 * other nodes borrowed, and smaller blocks of other nodes (a pool that was made anew with smaller blocks).
 */
export function usedElsewhere({ prefix, object }: KnownBlock, node: string, blocks: KnownBlocks): readonly Prefix[] {
  const borrowed = addressesUsed(object, prefix, (user) => user !== node).map(hostPrefix);
  return [
    ...borrowed,
    ...blocks
      .insideOf(prefix)
      .filter((inner) => isOfOther(inner, node))
      .map((inner) => inner.prefix),
  ];
}

function isOfOther({ object: { spec } }: KnownBlock, node: string): boolean {
  return spec?.deleted !== true && spec?.affinity?.startsWith('host:') === true && spec.affinity !== `host:${node}`;
}
