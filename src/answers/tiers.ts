import { compareText } from '../model/values.ts';
import { wholeParts } from './pace.ts';

/** Clusters that share the traffic, sorted by name; weights are 1..255. */
export type Tier = readonly WeightedCluster[];

interface WeightedCluster {
  readonly name: string;
  readonly weight: number;
  /** Tried in order for this share before the others of the tier take it over; absent where the others do so at once. */
  readonly failover?: readonly string[];
}

/** The clusters that answer for a share of a tier, in order. */
export function choicesOf({ name, failover = [] }: WeightedCluster): readonly string[] {
  return [name, ...failover];
}

/** The tiers of users of whom so many of `wholeParts` have been led from one list to the other. */
export function tiersBetween(from: readonly Tier[], to: readonly Tier[], parts: number): readonly Tier[] {
  if (parts <= 0) return from;
  if (parts >= wholeParts) return to;
  const exact = new Map<string, number>();
  for (const [tier, count] of [[from[0] ?? [], wholeParts - parts] as const, [to[0] ?? [], parts] as const]) {
    const total = tier.reduce((sum, { weight }) => sum + weight, 0);
    for (const { name, weight } of tier) exact.set(name, (exact.get(name) ?? 0) + (count * weight) / total);
  }
  return withoutRepeats([wholeWeights(exact), ...to, ...from]);
}

/** Whole weights, of `wholeParts` together: what is left by rounding down goes to the largest remainders. */
function wholeWeights(exact: ReadonlyMap<string, number>): Tier {
  const sorted = [...exact].sort(([a, x], [b, y]) => (y % 1) - (x % 1) || compareText(a, b));
  const down = sorted.map(([name, weight]) => ({ name, weight: Math.floor(weight + 1e-9) }));
  const short = wholeParts - down.reduce((sum, { weight }) => sum + weight, 0);
  return down
    .map(({ name, weight }, index) => ({ name, weight: index < short ? weight + 1 : weight }))
    .filter(({ weight }) => weight > 0);
}

/**
 * Keeps each cluster in the first tier that names it; tiers that become empty are left out. A share that stands alone in its tier is an order like
 * any other: its failover becomes tiers.
 */
export function withoutRepeats(tiers: readonly Tier[]): readonly Tier[] {
  const seen = new Set<string>();
  const result: Tier[] = [];
  for (const tier of tiers) {
    const fresh = mergeAlike(
      tier.flatMap(({ weight, ...cluster }) => {
        const [name, ...failover] = new Set(choicesOf({ weight, ...cluster }).filter((one) => !seen.has(one)));
        return name === undefined ? [] : [{ name, weight, ...(failover.length === 0 ? {} : { failover }) }];
      }),
    );
    for (const cluster of fresh) for (const name of choicesOf(cluster)) seen.add(name);
    const [only, ...others] = fresh;
    if (only !== undefined && others.length === 0) {
      const { failover = [], ...first } = only;
      result.push([first], ...failover.map((name) => [{ name, weight: 1 }]));
    } else if (fresh.length > 0) result.push(fresh);
  }
  return result;
}

/** Shares with the same choices in the same order are one. */
function mergeAlike(tier: Tier): Tier {
  const alike = Map.groupBy(tier, (cluster) => choicesOf(cluster).join('>'));
  return [...alike]
    .flatMap(([key, [first, ...others]]) => {
      if (first === undefined) return [];
      const sum = others.reduce((part, other) => part + other.weight, first.weight);
      return [{ key, cluster: { ...first, weight: others.length === 0 ? sum : Math.min(255, sum) } }];
    })
    .sort((a, b) => compareText(a.key, b.key))
    .map(({ cluster }) => cluster);
}
