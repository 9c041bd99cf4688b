import { compareText } from '../model/values.ts';
import { wholeParts } from './pace.ts';

/** Clusters that share the traffic, sorted by name; weights are 1..255. */
export type Tier = readonly WeightedCluster[];

interface WeightedCluster {
  readonly name: string;
  readonly weight: number;
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

/** Keeps each cluster in the first tier that names it; tiers that become empty are left out. */
export function withoutRepeats(tiers: readonly Tier[]): readonly Tier[] {
  const seen = new Set<string>();
  const result: Tier[] = [];
  for (const tier of tiers) {
    const fresh = mergeByName(tier).filter((cluster) => !seen.has(cluster.name));
    for (const cluster of fresh) seen.add(cluster.name);
    if (fresh.length > 0) result.push(fresh);
  }
  return result;
}

function mergeByName(tier: Tier): Tier {
  const weights = new Map<string, number>();
  for (const cluster of tier)
    weights.set(cluster.name, Math.min(255, (weights.get(cluster.name) ?? 0) + cluster.weight));
  return [...weights].map(([name, weight]) => ({ name, weight })).sort((a, b) => compareText(a.name, b.name));
}
