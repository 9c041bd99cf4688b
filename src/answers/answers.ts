import { isNetwork } from '../model/geo/networks.ts';
import { countryOfPlace } from '../model/geo/states.ts';
import { drainsOfCluster } from '../model/platform/drains.ts';
import {
  clustersOfPolicy,
  decidingRules,
  forbiddenClusters,
  type PolicyRule,
  placesOfPolicy,
} from '../model/platform/policies.ts';
import type { TrafficPolicy } from '../model/spec/kinds.ts';
import type { Platform } from '../model/spec/platform.ts';
import type { Distribution } from './distribution.ts';
import type { Hold } from './hold.ts';
import { partsMoved, wholeParts } from './pace.ts';
import { choicesOf, type Tier, tiersBetween, withoutRepeats } from './tiers.ts';

export type { Tier } from './tiers.ts';

/**
 * The answers of one policy: for every country code, for each state and network that the policy names, and for users of unknown location, an ordered list of tiers. The
 * first tier with a healthy cluster answers, by weight among its healthy clusters. When nothing is healthy the first tier
 * answers as if all its clusters were healthy. No tier and no list of tiers is empty.
 */
export interface Answers {
  readonly policy: string;
  /** By code of a country (`US`: users of no state that is here), of a state (`US-CA`) or by network (`192.0.2.0/24`), whose users are of no country. */
  readonly byCountry: ReadonlyMap<string, Preference>;
  /** The preference of users whose country is unknown, or is not one of Route 53's 246. */
  readonly unknown: Preference;
}

export interface Preference {
  readonly tiers: readonly Tier[];
  /** The part of the policy that decided. */
  readonly rule: RuleName;
  /** Clusters that these users never reach, sorted: none of them is in a tier. */
  readonly never: readonly string[];
}

/** `rules[2] (network)`, `rules[2] (state)`, `rules[2] (country)`, `rules[2] (continent)` or `default`. */
type RuleName = string;

/**
 * The answers of a policy with the drains that are in force at `nowMs` (milliseconds since the epoch), and with what a zone holds back of
 * it; without a zone, nothing is held back.
 */
export function answersNow(
  platform: Platform,
  policy: TrafficPolicy,
  nowMs: number,
  held: readonly Hold[] = [],
): Answers {
  return answersOf(policy, drainedAt(platform, nowMs), held);
}

/** The clusters that are drained at `nowMs`. */
export function drainedAt(platform: Platform, nowMs: number): ReadonlySet<string> {
  return new Set([...platform.clusters.keys()].filter((name) => drainsOfCluster(platform, name, nowMs).length > 0));
}

/**
 * A network beats all else, a state its country, which beats its continent, which beats the default; of two rules for the same place the first counts. The
 * tiers are: the clusters with a weight, the clusters of weight 0 together, each name of the failover list, then every
 * other cluster that the policy names; all without those that the country never reaches. Drained clusters, and those that are held
 * back, come last of all, in the same order among themselves.
 */
export function answersOf(policy: TrafficPolicy, drained: ReadonlySet<string>, held: readonly Hold[] = []): Answers {
  const all = clustersOfPolicy(policy);
  const deciding = decidingRules(policy.spec);
  const forbidden = forbiddenClusters(policy.spec);
  // Countries with the same preference share one object: dialects compare each list of tiers once.
  const known = new Map<string, Preference>();
  const preference = (code: string): Preference => {
    const { index, by } = deciding.get(code) ?? {};
    const never = [...(forbidden.get(code)?.keys() ?? [])].sort();
    const rule = index === undefined ? 'default' : `rules[${index}] (${by})`;
    const returning = held.map(({ cluster, back }) => ({ cluster, parts: partsMoved(back, returningWith(code)) }));
    const key = [rule, ...never, ...returning.map(({ parts }) => parts)].join(' ');
    const answer = (index === undefined ? undefined : policy.spec.rules[index]) ?? policy.spec.default;
    const allowed = all.filter((name) => !never.includes(name));
    const tiers = (last: ReadonlySet<string>): readonly Tier[] => tiersOf(answer, allowed, last);
    const made = known.get(key) ?? { tiers: tiersWithHeld(tiers, drained, returning), rule, never };
    known.set(key, made);
    return made;
  };
  return {
    policy: policy.metadata.name,
    byCountry: new Map(placesOfPolicy(policy.spec).map((code) => [code, preference(code)])),
    unknown: preference(''),
  };
}

/** With whom users are led back: a state together with its country, a network with users of unknown location. */
export function returningWith(place: string): string {
  return isNetwork(place) ? '' : countryOfPlace(place);
}

/** The preference of the code of a country or state, or of a network that the policy names; for undefined or an unlisted code, that of unknown locations. */
export function preferenceOf(answers: Answers, place: string | undefined): Preference {
  const { byCountry, unknown } = answers;
  if (place === undefined) return unknown;
  return byCountry.get(place) ?? byCountry.get(countryOfPlace(place)) ?? unknown;
}

/**
 * The preferences of users of a place whose state nobody knows: its own and, of a country, those of its states that the policy
 * names.
 */
export function preferencesWithin(answers: Answers, place: string | undefined): readonly Preference[] {
  const states = [...answers.byCountry].filter(([code]) => code !== place && countryOfPlace(code) === place);
  return [preferenceOf(answers, place), ...states.map(([, preference]) => preference)];
}

/** Countries and states ('' for unknown locations) that never reach the same clusters, together. */
export interface NeverGroup {
  readonly clusters: readonly string[];
  readonly countries: readonly string[];
}

/** Whom a policy keeps from which clusters; those that concern more countries come first. */
export function neverGroups({ byCountry, unknown }: Answers): readonly NeverGroup[] {
  const kept = [...byCountry, ['', unknown] as const].filter(([, { never }]) => never.length > 0);
  return [...Map.groupBy(kept, ([, { never }]) => never.join(', '))]
    .map(([, some]) => ({ clusters: some[0]?.[1].never ?? [], countries: some.map(([code]) => code) }))
    .sort((a, b) => b.countries.length - a.countries.length);
}

/**
 * The shares, of 1, of the clusters that answer while the clusters `failed` are down. Those that are `short` of addresses are no first choice, and may take
 * over for others. Never empty.
 */
export function answersFor(
  tiers: readonly Tier[],
  failed: ReadonlySet<string>,
  short: ReadonlySet<string> = new Set(),
): Distribution {
  for (const [index, tier] of tiers.entries()) {
    const healthy = tier.flatMap(({ weight, ...cluster }) => {
      const choices = choicesOf({ weight, ...cluster });
      const isLeft = (name: string, place: number): boolean => index === 0 && place === 0 && short.has(name);
      const name = choices.find((one, place) => !failed.has(one) && !isLeft(one, place));
      return name === undefined ? [] : [{ name, weight }];
    });
    if (healthy.length > 0) return shares(healthy);
  }
  return shares(tiers[0] ?? []);
}

function shares(tier: Tier): Distribution {
  const total = tier.reduce((sum, cluster) => sum + cluster.weight, 0);
  const byName = new Map<string, number>();
  for (const { name, weight } of tier) byName.set(name, (byName.get(name) ?? 0) + weight / total);
  return byName;
}

interface Returning {
  readonly cluster: string;
  readonly parts: number;
}

/** The tiers while clusters are held back. Of several to which these users return in parts, one does so at a time. */
function tiersWithHeld(
  tiersWithout: (last: ReadonlySet<string>) => readonly Tier[],
  drained: ReadonlySet<string>,
  returning: readonly Returning[],
): readonly Tier[] {
  const held = returning.filter(({ parts }) => parts < wholeParts);
  const last = new Set([...drained, ...held.map(({ cluster }) => cluster)]);
  const first = held.find(({ parts }) => parts > 0);
  if (first === undefined) return tiersWithout(last);
  const next = new Set(last);
  if (!drained.has(first.cluster)) next.delete(first.cluster);
  return tiersBetween(tiersWithout(last), tiersWithout(next), first.parts);
}

type ShareSpec = Omit<PolicyRule['clusters'][number], 'failover'> & {
  readonly failover?: readonly string[] | undefined;
};
type AnswerSpec = Pick<PolicyRule, 'clusters' | 'failover'>;

/** The tiers of an answer, of the clusters `allowed` only. */
function tiersOf(answer: AnswerSpec, allowed: readonly string[], drained: ReadonlySet<string>): readonly Tier[] {
  const wanted: Tier[] = [
    answer.clusters.filter((cluster) => cluster.weight > 0),
    answer.clusters.filter((cluster) => cluster.weight === 0).map(({ name }) => ({ name, weight: 1 })),
    ...answer.failover.map((name) => [{ name, weight: 1 }]),
    allowed.map((name) => ({ name, weight: 1 })),
  ].map((tier) => withChoices(tier, (name) => allowed.includes(name)));
  const inService = wanted.map((tier) => withChoices(tier, (name) => !drained.has(name)));
  const outOfService = wanted.map((tier) =>
    tier.filter(({ name }) => drained.has(name)).map(({ name, weight }) => ({ name, weight })),
  );
  return withoutRepeats([...inService, ...outOfService]);
}

/** The tier with those choices of each share that are kept; a share without any is left out. */
function withChoices(tier: readonly ShareSpec[], keeps: (name: string) => boolean): Tier {
  return tier.flatMap(({ name, weight, failover = [] }) => {
    const [first, ...others] = [name, ...failover].filter(keeps);
    return first === undefined ? [] : [{ name: first, weight, ...(others.length === 0 ? {} : { failover: others }) }];
  });
}

/** A text that is the same exactly for equal tiers: `newyork:30,paris:70 > cloud`. */
export function formatTiers(tiers: readonly Tier[]): string {
  return tiers.map(formatTier).join(' > ');
}

function formatTier(tier: Tier): string {
  const [only, ...others] = tier;
  if (only !== undefined && others.length === 0) return only.name;
  return tier
    .map(
      ({ name, weight, failover }) => `${name}:${weight}${failover === undefined ? '' : `(${failover.join(' > ')})`}`,
    )
    .join(',');
}
