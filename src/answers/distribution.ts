import { compareKeys } from '../model/values.ts';

/** How an answer is spread over users: the share, of 1, of each cluster or address; empty when there is no answer at all. */
export type Distribution = ReadonlyMap<string, number>;

/** Shares by cluster; an address that belongs to no cluster counts under its own text. */
export function sumByCluster(answer: Distribution, clusterOf: (address: string) => string | undefined): Distribution {
  const shares = new Map<string, number>();
  for (const [address, share] of answer) {
    const name = clusterOf(address) ?? address;
    shares.set(name, (shares.get(name) ?? 0) + share);
  }
  return shares;
}

/** True when both have the same shares, except for rounding errors of floating point. */
export function sameShares(a: Distribution, b: Distribution): boolean {
  return a.size === b.size && [...a].every(([name, share]) => Math.abs(share - (b.get(name) ?? -1)) < 1e-9);
}

/** The share of users, 0..1, who get another answer: half the sum of the differences. */
export function movedBetween(before: Distribution, after: Distribution): number {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].reduce((sum, name) => sum + Math.abs((before.get(name) ?? 0) - (after.get(name) ?? 0)), 0) / 2;
}

/** `newyork 30%, paris 70%`, sorted by name; `nothing` when empty. */
export function formatShares(shares: Distribution): string {
  if (shares.size === 0) return 'nothing';
  const sorted = [...shares].sort(compareKeys);
  return sorted.map(([name, share]) => (share === 1 ? name : `${name} ${percent(share)}`)).join(', ');
}

/** The shares that `formatShares` wrote, to a tenth of a percent; `<0.1%` counts as half of what it may be at most. */
export function parseShares(text: string): Distribution {
  if (text === 'nothing') return new Map();
  return new Map(
    text.split(', ').map((part): readonly [string, number] => {
      const [, name = part, share] = /^(.+) (<0\.1|[\d.]+)%$/.exec(part) ?? [];
      if (share === undefined) return [name, 1];
      return [name, share === '<0.1' ? leastTold / 2 : Number(share) / 100];
    }),
  );
}

/** A share, 0..1, as text: `24.4%`; `0%` is none at all, but for rounding errors of floating point. */
export function percent(share: number): string {
  if (share >= 1e-9 && share < leastTold) return '<0.1%';
  return `${Math.round(share * 1000) / 10}%`;
}

/** What is less would be rounded to 0%. */
const leastTold = 5e-4;
