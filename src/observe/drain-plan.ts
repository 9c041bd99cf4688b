import { answersFor, answersNow, preferenceOf, type Tier } from '../answers/answers.ts';
import { formatShares } from '../answers/distribution.ts';
import { countries } from '../model/geo/countries.ts';
import { drainOfBlade, drainsOfCluster } from '../model/platform/drains.ts';
import { poolsOfCluster } from '../model/platform/places.ts';
import type { EdgePool } from '../model/spec/kinds.ts';
import type { Platform } from '../model/spec/platform.ts';
import type { ObserveReason } from './reasons.ts';
import { type AgentPart, isCarried, type Snapshot } from './snapshot.ts';

/** What becomes of users and VIPs when the drains of the spec change, as far as spec and agents tell. */
export interface DrainPlan {
  /** Who is answered by whom instead, by policy; the groups with more countries come first. */
  readonly moves: readonly CountryMove[];
  readonly pools: readonly PoolChange[];
  /** Why it should not be done. */
  readonly refusals: readonly DrainRefusal[];
  /** What could not be seen and would matter. */
  readonly unknown: readonly string[];
}

interface CountryMove {
  readonly policy: string;
  readonly hosts: readonly string[];
  /** The shares of clusters: `paris`, or `newyork 30%, paris 70%`. */
  readonly before: string;
  readonly after: string;
  /** Country codes, sorted; `unknown` stands for users whose country nobody knows. */
  readonly countries: readonly string[];
}

/** Blades of one pool that leave service or come back. */
interface PoolChange {
  readonly pool: string;
  readonly leaving: readonly string[];
  readonly returning: readonly string[];
  /** The blades in service afterwards. */
  readonly serving: readonly string[];
}

interface DrainRefusal {
  readonly reason: Extract<ObserveReason, 'LeavesVip' | 'LeavesCountries'>;
  readonly message: string;
  readonly fix: string;
}

/** Compares two specs that differ by their drains. `snapshot` says who can serve now. */
export function planDrains(before: Platform, after: Platform, snapshot: Snapshot): DrainPlan {
  const now = snapshot.takenAtMs;
  const pools = [...after.edgePools.values()].flatMap((pool) => poolChange(before, after, pool, now));
  const down = clustersDown(after, snapshot);
  return {
    moves: movesOf(before, after, now),
    pools,
    refusals: [
      ...pools.flatMap((change) => vipRefusal(after, change, snapshot)),
      ...countryRefusals(before, after, { down, nowMs: now }),
    ],
    unknown: pools.flatMap((change) => unknownOf(change, snapshot)),
  };
}

function poolChange(before: Platform, after: Platform, pool: EdgePool, nowMs: number): readonly PoolChange[] {
  const names = pool.spec.blades.map(({ name }) => name);
  const isOut = (platform: Platform, name: string) => drainOfBlade(platform, pool, name, nowMs) !== undefined;
  const leaving = names.filter((name) => !isOut(before, name) && isOut(after, name));
  const returning = names.filter((name) => isOut(before, name) && !isOut(after, name));
  const serving = names.filter((name) => !isOut(after, name));
  return leaving.length + returning.length === 0 ? [] : [{ pool: pool.metadata.name, leaving, returning, serving }];
}

/**
 * A blade may leave only when another one is left that can serve. Where the whole cluster is drained the users leave first, and the
 * last blades keep their VIPs.
 */
function vipRefusal(after: Platform, change: PoolChange, snapshot: Snapshot): readonly DrainRefusal[] {
  const pool = after.edgePools.get(change.pool);
  if (pool === undefined || change.leaving.length === 0) return [];
  if (drainsOfCluster(after, pool.spec.cluster, snapshot.takenAtMs).length > 0) return [];
  const others = change.serving.map((name) => bladePart(snapshot, name));
  return pool.spec.vips.flatMap(({ address }): readonly DrainRefusal[] => {
    const vip = address.text;
    if (others.some((part) => part === undefined || 'problem' in part || couldServe(part, vip))) return [];
    const why =
      change.serving.length === 0
        ? 'no other blade is in service'
        : `no other blade can serve it now: ${change.serving.join(', ')} cannot`;
    const message = `VIP ${vip} of pool ${change.pool} would be left without anyone: ${why}`;
    const fix = `drain the cluster ${pool.spec.cluster} instead, or bring another blade into service first`;
    return [{ reason: 'LeavesVip', message, fix }];
  });
}

/** Whether a blade could serve a VIP: it is fit, and a router would hear of it. A drained one could, but for its Drain. */
function couldServe(part: AgentPart, vip: string): boolean {
  if (!('edge' in part)) return false;
  const { vips, bgp } = part.edge;
  const state = vips.find(({ address }) => address === vip);
  const fit = state !== undefined && (state.fit || state.reasons.includes('Draining'));
  return fit && isCarried(bgp.neighbors, vip);
}

function bladePart({ agents }: Snapshot, name: string): AgentPart | undefined {
  return agents.find(({ target }) => target.plane === 'edge' && target.server === name);
}

function unknownOf({ leaving, serving }: PoolChange, snapshot: Snapshot): readonly string[] {
  if (leaving.length === 0) return [];
  return serving.flatMap((name) => {
    const part = bladePart(snapshot, name);
    if (part !== undefined && !('problem' in part)) return [];
    return [`whether ${name}, which stays, can serve: its agent ${part?.problem ?? 'was not asked'}`];
  });
}

/** The clusters that are known to serve nobody: all their blades answered, and no public VIP has one that is fit. */
function clustersDown(platform: Platform, snapshot: Snapshot): ReadonlySet<string> {
  return new Set(
    [...platform.clusters.keys()].filter((name) => {
      const pools = poolsOfCluster(platform, name);
      return pools.length > 0 && pools.every((pool) => isDown(pool, snapshot));
    }),
  );
}

function isDown({ spec }: EdgePool, snapshot: Snapshot): boolean {
  const parts = spec.blades.map(({ name }) => bladePart(snapshot, name));
  const vips = spec.vips.filter(({ scope }) => scope === 'public').map(({ address }) => address.text);
  return parts.every((part) => part !== undefined && 'edge' in part && !vips.some((vip) => couldServe(part, vip)));
}

interface Now {
  readonly down: ReadonlySet<string>;
  readonly nowMs: number;
}

/** Users must be left with a cluster that is in service; those who have none already are not the matter of this change. */
function countryRefusals(before: Platform, after: Platform, { down, nowMs }: Now): readonly DrainRefusal[] {
  return [...after.policies.values()].flatMap((policy): readonly DrainRefusal[] => {
    const [old, next] = [answersNow(before, policy, nowMs), answersNow(after, policy, nowMs)];
    const alone = codes.filter(
      (code) =>
        !hasCluster(after, preferenceOf(next, code).tiers, { down, nowMs }) &&
        hasCluster(before, preferenceOf(old, code).tiers, { down, nowMs }),
    );
    if (alone.length === 0) return [];
    const message = `policy ${policy.metadata.name} would be left without a cluster in service for ${listed(alone.map(textOf))}`;
    const fix = 'bring another of its clusters into service first, or name one more in the policy';
    return [{ reason: 'LeavesCountries', message, fix }];
  });
}

function hasCluster(platform: Platform, tiers: readonly Tier[], { down, nowMs }: Now): boolean {
  return tiers.flat().some(({ name }) => !down.has(name) && drainsOfCluster(platform, name, nowMs).length === 0);
}

const codes: readonly (string | undefined)[] = [...countries.map(({ code }) => code), undefined];

function movesOf(before: Platform, after: Platform, nowMs: number): readonly CountryMove[] {
  return [...after.policies.values()].flatMap((policy) => {
    const [old, next] = [answersNow(before, policy, nowMs), answersNow(after, policy, nowMs)];
    const changes = codes.map((code) => ({
      code,
      before: sharesOf(preferenceOf(old, code).tiers),
      after: sharesOf(preferenceOf(next, code).tiers),
    }));
    const groups = Map.groupBy(
      changes.filter((change) => change.before !== change.after),
      (change) => `${change.before} > ${change.after}`,
    );
    return [...groups.values()]
      .toSorted((a, b) => b.length - a.length)
      .flatMap(([first, ...rest]) =>
        first === undefined
          ? []
          : [
              {
                policy: policy.metadata.name,
                hosts: policy.spec.hosts,
                before: first.before,
                after: first.after,
                countries: [first, ...rest].map(({ code }) => textOf(code)),
              },
            ],
      );
  });
}

/** Who answers while everything is healthy. */
function sharesOf(tiers: readonly Tier[]): string {
  return formatShares(answersFor(tiers, new Set()));
}

function textOf(code: string | undefined): string {
  return code ?? 'unknown';
}

/** The first few of a list, and how many more there are. */
export function listed(names: readonly string[], shown = 8): string {
  const rest = names.length - shown;
  return `${names.slice(0, shown).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
