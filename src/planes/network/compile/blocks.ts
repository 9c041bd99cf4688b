import type { BlockAffinity } from '../../../kube/kinds/block-affinity.ts';
import type { IPAMBlock } from '../../../kube/kinds/ipam-block.ts';
import type { ClusterState } from '../../../kube/source.ts';
import { parsePrefix } from '../../../model/address.ts';
import type { Refusal } from '../../../model/problem.ts';
import type { NetworkNotice, NetworkRefusal } from '../plan.ts';
import type { NetworkReason } from '../reasons.ts';
import type { KnownBlocks } from './known.ts';
import type { Standing } from './standing.ts';
import { usedElsewhere } from './usage.ts';
import type { Wanted, WantedPrefixes } from './wanted.ts';

/**
 * The blocks of a node. A BlockAffinity alone proves nothing: two nodes can hold one for the same block (Calico issue
 * 6486), one can outlive its block (4471) or precede it (6867). The IPAMBlock decides.
 */
export function compileBlocks(
  state: ClusterState,
  node: string,
  blocks: KnownBlocks,
  standing: Standing,
): WantedPrefixes {
  const wanted: Wanted[] = [];
  const refusals: NetworkRefusal[] = [];
  const notices: NetworkNotice[] = [];
  for (const affinity of state.objects.BlockAffinity.values()) {
    if (affinity.spec?.node !== node) continue;
    const text = affinity.spec.cidr ?? '';
    const prefix = parsePrefix(text);
    if (prefix === undefined) {
      refusals.push({ subject: `BlockAffinity/${affinity.metadata.name}`, reason: 'BadPrefix', message: `"${text}"` });
      continue;
    }
    const block = blocks.byText.get(prefix.text);
    const fault = whyNotAffinity(affinity) ?? whyNotBlock(block?.object, node);
    if (fault !== undefined || block === undefined) {
      if (fault !== undefined) refusals.push({ subject: prefix.text, ...fault });
      continue;
    }
    const verdict = standing.verdict(prefix);
    const holes = usedElsewhere(block, node, blocks);
    if (!verdict.announce) refusals.push(verdict.refusal);
    else wanted.push({ prefix, because: `block ${prefix.text} of worker ${node}`, holes });
    if (verdict.announce && verdict.notice !== undefined) notices.push(verdict.notice);
  }
  return { wanted, refusals, notices };
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
