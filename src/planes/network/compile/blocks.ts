import type { BlockAffinity } from '../../../kube/kinds/block-affinity.ts';
import type { IPAMBlock } from '../../../kube/kinds/ipam-block.ts';
import type { ClusterState } from '../../../kube/source.ts';
import { parsePrefix } from '../../../model/address.ts';
import type { Refusal } from '../../../model/problem.ts';
import type { NetworkRefusal } from '../plan.ts';
import type { NetworkReason } from '../reasons.ts';
import { Pools } from './pools.ts';
import type { Wanted, WantedPrefixes } from './wanted.ts';

/**
 * The blocks of a node. A BlockAffinity alone proves nothing: two nodes can hold one for the same block (Calico issue
 * 6486), one can outlive its block (4471) or precede it (6867). The IPAMBlock decides.
 */
export function compileBlocks(state: ClusterState, node: string): WantedPrefixes {
  const pools = new Pools(state);
  const blocks = blocksByPrefix(state);
  const wanted: Wanted[] = [];
  const refusals: NetworkRefusal[] = [];
  for (const affinity of state.objects.BlockAffinity.values()) {
    if (affinity.spec?.node !== node) continue;
    const text = affinity.spec.cidr ?? '';
    const prefix = parsePrefix(text);
    if (prefix === undefined) {
      refusals.push({ subject: `BlockAffinity/${affinity.metadata.name}`, reason: 'BadPrefix', message: `"${text}"` });
      continue;
    }
    const fault = whyNotAffinity(affinity) ?? whyNotBlock(blocks.get(prefix.text), node) ?? pools.refusal(prefix);
    if (fault === undefined) wanted.push({ prefix, because: `block ${prefix.text} of worker ${node}` });
    else refusals.push({ subject: prefix.text, ...fault });
  }
  return { wanted, refusals };
}

function whyNotAffinity({ metadata, spec }: BlockAffinity): Refusal<NetworkReason> | undefined {
  const message = `BlockAffinity ${metadata.name}`;
  if (spec?.type !== undefined && spec.type !== '' && spec.type !== 'host')
    return { reason: 'AffinityVirtual', message };
  if (spec?.deleted === true || spec?.deleted === 'true') return { reason: 'AffinityDeleted', message };
  if (spec?.state === 'pending') return { reason: 'AffinityPending', message };
  if (spec?.state === 'pendingDeletion') return { reason: 'AffinityReleasing', message };
  if (spec?.state !== 'confirmed')
    return { reason: 'AffinityStateUnknown', message: `${message}: "${spec?.state ?? ''}"` };
  return undefined;
}

function whyNotBlock(block: IPAMBlock | undefined, node: string): Refusal<NetworkReason> | undefined {
  if (block === undefined) return { reason: 'BlockMissing', message: 'there is no IPAMBlock' };
  const message = `IPAMBlock ${block.metadata.name}`;
  if (block.spec?.deleted === true) return { reason: 'BlockDeleted', message };
  const affinity = block.spec?.affinity ?? '';
  if (affinity === '') return { reason: 'BlockReleased', message };
  if (affinity !== `host:${node}`) return { reason: 'BlockOfOtherNode', message: `${message} is of ${affinity}` };
  return undefined;
}

function blocksByPrefix(state: ClusterState): ReadonlyMap<string, IPAMBlock> {
  const blocks = new Map<string, IPAMBlock>();
  for (const block of state.objects.IPAMBlock.values()) {
    const prefix = parsePrefix(block.spec?.cidr ?? '');
    if (prefix !== undefined) blocks.set(prefix.text, block);
  }
  return blocks;
}
