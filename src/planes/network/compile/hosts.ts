import type { ClusterState } from '../../../kube/source.ts';
import { hostPrefix, parsePrefix } from '../../../model/address.ts';
import type { NetworkNotice, NetworkRefusal } from '../plan.ts';
import type { KnownBlocks } from './known.ts';
import type { Standing } from './standing.ts';
import { addressesUsed } from './usage.ts';
import type { Wanted, WantedPrefixes } from './wanted.ts';

/**
 * Host routes: addresses that pods of this node use in blocks it does not announce, borrowed from another node's block
 * or left over in a released one. A block that the node is still claiming gets no host routes.
 */
export function compileHosts(
  state: ClusterState,
  node: string,
  { byText }: KnownBlocks,
  standing: Standing,
  /** The outcome of the node's own blocks: what is announced or refused there is not looked at again. */
  own: WantedPrefixes,
): WantedPrefixes {
  const claiming = pendingOf(state, node);
  const announced = new Set(own.wanted.map(({ prefix }) => prefix.text));
  const refused = new Set(own.refusals.map(idOf));
  const wanted: Wanted[] = [];
  const refusals: NetworkRefusal[] = [];
  const notices: NetworkNotice[] = [];
  for (const { prefix, object: block } of byText.values()) {
    if (block.spec?.deleted === true || block.spec?.affinity?.startsWith('virtual:') === true) continue;
    if (announced.has(prefix.text) || claiming.has(prefix.text)) continue;
    const addresses = addressesUsed(block, prefix, (user) => user === node);
    const verdicts = addresses.map((address) => {
      const verdict = standing.verdict({ block: prefix, part: hostPrefix(address), usedHere: true });
      return { address, verdict };
    });
    for (const { address, verdict } of verdicts)
      if (verdict.announce)
        wanted.push({
          prefix: hostPrefix(address),
          because: `address of a pod of ${node} in block ${prefix.text} of ${block.spec?.affinity ?? 'nobody'}`,
        });
    // One pool speaks for all addresses of a block.
    const refusal = verdicts.flatMap(({ verdict }) => (verdict.announce ? [] : [verdict.refusal]))[0];
    if (refusal !== undefined && !refused.has(idOf(refusal)))
      refusals.push({ ...refusal, message: `${addresses.length} host routes: ${refusal.message}` });
    const notice = verdicts.flatMap(({ verdict }) => (verdict.announce ? (verdict.notice ?? []) : []))[0];
    if (notice !== undefined) notices.push(notice);
  }
  return { wanted, refusals, notices };
}

function idOf({ subject, reason }: NetworkRefusal): string {
  return `${subject} ${reason}`;
}

function pendingOf(state: ClusterState, node: string): ReadonlySet<string> {
  const pending = new Set<string>();
  for (const { spec } of state.objects.BlockAffinity.values()) {
    const prefix = spec?.node === node && spec.state === 'pending' ? parsePrefix(spec.cidr ?? '') : undefined;
    if (prefix !== undefined) pending.add(prefix.text);
  }
  return pending;
}
