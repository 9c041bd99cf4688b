import type { BlockAffinity } from '../../../kube/kinds/block-affinity.ts';
import type { IPAMBlock } from '../../../kube/kinds/ipam-block.ts';
import type { ClusterState } from '../../../kube/source.ts';
import { contains, type Prefix, parsePrefix } from '../../../model/address.ts';
import type { NetworkNotice } from '../plan.ts';

export interface KnownBlock {
  readonly prefix: Prefix;
  readonly object: IPAMBlock;
}

/** The IPAMBlocks of a cluster, one a prefix, by the text of the prefix. */
export interface KnownBlocks {
  readonly byText: ReadonlyMap<string, KnownBlock>;
  /** The blocks that are smaller than this prefix and in it. */
  insideOf(prefix: Prefix): readonly KnownBlock[];
  /** Prefixes that several objects claim to be. */
  readonly notices: readonly NetworkNotice[];
}

/** Objects do not change: each is parsed once, which keeps the cost of one more block small when there are many. */
const prefixes = new WeakMap<IPAMBlock | BlockAffinity, Prefix | 'none'>();

/**
 * Finds the IPAMBlock of every prefix. Of two objects for one prefix the one that Calico itself would write counts (its name is
 * the prefix), then one that is not deleted, then the first by name: every node takes the same one, so that one announces the
 * block.
 */
export function knownBlocks(state: ClusterState): KnownBlocks {
  const byText = new Map<string, KnownBlock>();
  const notices: NetworkNotice[] = [];
  for (const object of state.objects.IPAMBlock.values()) {
    const prefix = prefixOfObject(object);
    if (prefix === undefined) continue;
    const other = byText.get(prefix.text);
    const block = { prefix, object };
    const [first, second] = other !== undefined && precedes(other, block) ? [other, block] : [block, other];
    byText.set(prefix.text, first);
    if (second === undefined) continue;
    const names = `IPAMBlocks ${first.object.metadata.name} and ${second.object.metadata.name}`;
    const message = `${names} both have this cidr; the first counts`;
    notices.push({ subject: prefix.text, reason: 'BlockDuplicated', message });
  }
  return { byText, notices, insideOf: insideOf(byText) };
}

/** Blocks mostly have one size, and then there is nothing to look through. */
function insideOf(byText: ReadonlyMap<string, KnownBlock>): KnownBlocks['insideOf'] {
  const byLength = new Map<number, KnownBlock[]>();
  for (const block of byText.values()) {
    const { family, length } = block.prefix;
    const key = family * 1000 + length;
    const same = byLength.get(key);
    if (same === undefined) byLength.set(key, [block]);
    else same.push(block);
  }
  return (outer) =>
    [...byLength]
      .filter(([key]) => Math.floor(key / 1000) === outer.family && key % 1000 > outer.length)
      .flatMap(([, blocks]) => blocks.filter(({ prefix }) => contains(outer, prefix)));
}

/** The prefix that an object is about; undefined when its cidr is none. */
export function prefixOfObject(object: IPAMBlock | BlockAffinity): Prefix | undefined {
  let prefix = prefixes.get(object);
  if (prefix === undefined) {
    prefix = parsePrefix(object.spec?.cidr ?? '') ?? 'none';
    prefixes.set(object, prefix);
  }
  return prefix === 'none' ? undefined : prefix;
}

function precedes(a: KnownBlock, b: KnownBlock): boolean {
  const rank = ({ prefix, object }: KnownBlock): string => {
    const byCalico = object.metadata.name === prefix.text.replaceAll(/[./:]/g, '-');
    return `${byCalico ? 0 : 1}${object.spec?.deleted === true ? 1 : 0}${object.metadata.name}`;
  };
  return rank(a) < rank(b);
}
