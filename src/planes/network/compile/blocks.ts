import type { BlockAffinity } from '../../../kube/kinds/block-affinity.ts';
import type { IPAMBlock } from '../../../kube/kinds/ipam-block.ts';
import type { ClusterState } from '../../../kube/source.ts';
import type { Refusal } from '../../../model/problem.ts';
import type { NetworkNotice, NetworkRefusal } from '../plan.ts';
import type { NetworkReason } from '../reasons.ts';
import { type KnownBlocks, prefixOfObject } from './known.ts';
import type { Standing } from './standing.ts';
import { addressesUsed, usedElsewhere } from './usage.ts';
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
    const prefix = prefixOfObject(affinity);
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
    const usedHere = addressesUsed(block.object, prefix, (user) => user === node).length > 0;
    const verdict = standing.verdict({ block: prefix, part: prefix, usedHere });
    const holes = usedElsewhere(block, node, blocks);
    if (!verdict.announce) refusals.push(verdict.refusal);
    else wanted.push({ prefix, because: `block ${prefix.text} of worker ${node}`, holes });
    if (verdict.announce && verdict.notice !== undefined) notices.push(verdict.notice);
  }
  return { wanted, refusals, notices };
}

function whyNotAffinity({ metadata, spec }: BlockAffinity): Refusal<NetworkReason> | undefined {
  const why = (reason: NetworkReason, more = ''): Refusal<NetworkReason> => {
    return { reason, message: `BlockAffinity ${metadata.name}${more}` };
  };
  if (spec?.type !== undefined && spec.type !== '' && spec.type !== 'host') return why('AffinityVirtual');
  if (spec?.deleted === true || spec?.deleted === 'true') return why('AffinityDeleted');
  if (spec?.state === 'pending') return why('AffinityPending');
  if (spec?.state === 'pendingDeletion') return why('AffinityReleasing');
  return spec?.state === 'confirmed' ? undefined : why('AffinityStateUnknown', `: "${spec?.state ?? ''}"`);
}

function whyNotBlock(block: IPAMBlock | undefined, node: string): Refusal<NetworkReason> | undefined {
  if (block === undefined) return { reason: 'BlockMissing', message: 'there is no IPAMBlock' };
  const why = (reason: NetworkReason, more = ''): Refusal<NetworkReason> => {
    return { reason, message: `IPAMBlock ${block.metadata.name}${more}` };
  };
  const affinity = block.spec?.affinity ?? '';
  if (block.spec?.deleted === true) return why('BlockDeleted');
  if (affinity === '') return why('BlockReleased');
  return affinity === `host:${node}` ? undefined : why('BlockOfOtherNode', ` is of ${affinity}`);
}
