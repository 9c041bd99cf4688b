import type { CountryRange, CountryRanges } from '../model/geo/ranges.ts';
import { formatIpv4 } from './ipv4.ts';
import { countryOf, geoLookup, type SearchTree } from './lookup.ts';

const ipv6Bits = 48;

/** One walk over the whole data, which takes some tenths of a second. */
export function countryRanges(): CountryRanges {
  const { tree, builtSeconds } = geoLookup();
  const known = new Map<number, string | undefined>();
  const country = (node: number, address: string): string | undefined => {
    if (!known.has(node)) known.set(node, countryOf(address));
    return known.get(node);
  };
  return {
    builtSeconds,
    ipv4: rangesOf(tree, tree.ipv4Root, 32, (node, start) => country(node, formatIpv4(start))),
    ipv6: rangesOf(tree, 0, ipv6Bits, (node, start) => country(node, formatIpv6(start))),
  };
}

type CountryOfNode = (node: number, start: number) => string | undefined;

/** The ranges below a node of the tree, whose leaves are `bits` deep. */
function rangesOf(tree: SearchTree, root: number, bits: number, countryOf: CountryOfNode): readonly CountryRange[] {
  const ranges: CountryRange[] = [];
  const walk = (node: number, start: number, depth: number): void => {
    if (node >= tree.nodeCount || depth === bits) {
      const country = node > tree.nodeCount ? countryOf(node, start) : undefined;
      const last = ranges.at(-1);
      if (last === undefined || last.country !== country) ranges.push({ start, country });
      return;
    }
    walk(tree.child(node, 0), start, depth + 1);
    walk(tree.child(node, 1), start + 2 ** (bits - depth - 1), depth + 1);
  };
  walk(root, 0, 0);
  return ranges;
}

/** The address of which `start` is the first 48 bits. */
function formatIpv6(start: number): string {
  return `${[2 ** 32, 2 ** 16, 1].map((unit) => (Math.floor(start / unit) % 65_536).toString(16)).join(':')}::`;
}
