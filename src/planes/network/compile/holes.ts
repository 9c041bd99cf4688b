import { contains, halvesOf, type Prefix } from '../../../model/address.ts';

/**
 * The fewest prefixes that cover a block except these holes, in order. A blackhole for each of them lets packets to a hole
 * follow the machine's other routes; a route for the hole itself would need a next hop that stays right when those change.
 */
export function without(block: Prefix, holes: readonly Prefix[]): readonly Prefix[] {
  if (holes.some((hole) => contains(hole, block))) return [];
  const inside = holes.filter((hole) => contains(block, hole));
  if (inside.length === 0) return [block];
  return halvesOf(block).flatMap((half) => without(half, inside));
}
