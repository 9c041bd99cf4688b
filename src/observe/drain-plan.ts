import { type Answers, answersFor, answersNow, preferenceOf, type Tier } from '../answers/answers.ts';
import { formatShares } from '../answers/distribution.ts';
import { drainOfBlade, drainsOfCluster } from '../model/platform/drains.ts';
import { poolsOfCluster } from '../model/platform/places.ts';
import type { EdgePool } from '../model/spec/kinds.ts';
import type { Platform } from '../model/spec/platform.ts';
import { heldPerhaps } from './drain-held.ts';
import type { ObserveReason } from './reasons.ts';
import { type AgentPart, type EdgePart, isCarried, type Snapshot } from './snapshot.ts';

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
  /** The blades in service afterwards, as the spec has it. */
  readonly serving: readonly string[];
  /** Those of them that cannot serve every VIP of the pool now, or of which that is not known; `why` is a clause. */
  readonly doubtful: readonly { readonly name: string; readonly why: string }[];
  /** The VIPs that a leaving blade announces now. */
  readonly vips: readonly VipMove[];
}

interface VipMove {
  readonly address: string;
  readonly from: readonly string[];
  /** The blades in service that could serve it. */
  readonly to: readonly string[];
  /** The blades in service of which nobody knows that. */
  readonly unknown: readonly string[];
}

interface DrainRefusal {
  readonly reason: Extract<ObserveReason, 'LeavesVip' | 'LeavesCountries'>;
  readonly message: string;
  readonly fix: string;
}

/** Compares two specs that differ by their drains. `taken` says who can serve now. */
export function planDrains(before: Platform, after: Platform, taken: Snapshot): DrainPlan {
  const snapshot = withUnseenDrains(before, after, taken);
  const now = snapshot.takenAtMs;
  const pools = [...after.edgePools.values()].flatMap((pool) => poolChange(before, after, pool, snapshot));
  const down = clustersDown(after, snapshot);
  return {
    moves: movesOf(before, after, now),
    pools,
    refusals: [
      ...pools.flatMap((change) => vipRefusal(after, change, snapshot)),
      ...countryRefusals(before, after, { down, nowMs: now }),
    ],
    unknown: [
      ...pools.flatMap((change) => unknownOf(change, snapshot)),
      ...silentOf(before, after, snapshot),
      ...heldPerhaps(before, after, now),
    ],
  };
}

/**
 * A blade that obeys a Drain which neither spec has cannot be counted on: the Drain stands in an API that could not be read, or was
 * removed from the spec and the blade has not heard of that.
 */
function withUnseenDrains(before: Platform, after: Platform, snapshot: Snapshot): Snapshot {
  const seen = new Set([...before.drains.values(), ...after.drains.values()].map(({ metadata }) => metadata.name));
  const agents = snapshot.agents.map((part) => {
    const drain = isHeard(part) ? part.edge.drain?.name : undefined;
    if (!isHeard(part) || drain === undefined || seen.has(drain)) return part;
    const reasons = [`it obeys Drain/${drain}, which stands nowhere that was read`];
    return { ...part, edge: { ...part.edge, vips: part.edge.vips.map((vip) => ({ ...vip, fit: false, reasons })) } };
  });
  return { ...snapshot, agents };
}

function poolChange(before: Platform, after: Platform, pool: EdgePool, snapshot: Snapshot): readonly PoolChange[] {
  const names = pool.spec.blades.map(({ name }) => name);
  const isOut = (platform: Platform, name: string) =>
    drainOfBlade(platform, pool, name, snapshot.takenAtMs) !== undefined;
  const leaving = names.filter((name) => !isOut(before, name) && isOut(after, name));
  const returning = names.filter((name) => isOut(before, name) && !isOut(after, name));
  const serving = names.filter((name) => !isOut(after, name));
  if (leaving.length + returning.length === 0) return [];
  const vips = vipMoves(leaving, serving, snapshot);
  const doubtful = serving.flatMap((name) => doubtfulOf(name, pool, snapshot));
  return [{ pool: pool.metadata.name, leaving, returning, serving, doubtful, vips }];
}

/** Being in service by the spec is not yet serving. */
function doubtfulOf(name: string, { spec }: EdgePool, snapshot: Snapshot): PoolChange['doubtful'] {
  const part = bladePart(snapshot, name);
  if (!isHeard(part)) return [{ name, why: 'it does not answer' }];
  const cannot = spec.vips.map(({ address }) => address.text).filter((vip) => !couldServe(part, vip));
  return cannot.length === 0
    ? []
    : [{ name, why: cannot.map((vip) => `cannot serve ${vip}: ${whyNot(part, vip)}`).join('; ') }];
}

/** Also those that left the pool by an edit and are announced still. */
function vipMoves(leaving: readonly string[], serving: readonly string[], snapshot: Snapshot): readonly VipMove[] {
  const leavers = leaving.map((name) => bladePart(snapshot, name)).filter(isHeard);
  const announced = new Set(leavers.flatMap(announcedBy));
  return [...announced].toSorted().map((address) => ({
    address,
    from: leavers.filter((part) => announcedBy(part).includes(address)).map(({ target }) => target.server),
    to: serving.filter((name) => {
      const part = bladePart(snapshot, name);
      return part !== undefined && couldServe(part, address);
    }),
    unknown: serving.filter((name) => !isHeard(bladePart(snapshot, name))),
  }));
}

function announcedBy({ edge }: HeardBlade): readonly string[] {
  return edge.vips.filter(({ announced }) => announced).map(({ address }) => address);
}

type HeardBlade = AgentPart & { readonly edge: EdgePart };

function isHeard(part: AgentPart | undefined): part is HeardBlade {
  return part !== undefined && 'edge' in part;
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
  const held = new Set(heldVips(after, change, snapshot));
  return [...pool.spec.vips.map(({ address }) => address.text), ...held].flatMap((vip): readonly DrainRefusal[] => {
    if (others.some((part) => !isHeard(part) || couldServe(part, vip))) return [];
    const cannot = change.serving.map((name) => `${name} cannot (${whyNot(bladePart(snapshot, name), vip)})`);
    const why =
      cannot.length === 0 ? 'no other blade is in service' : `no other blade can serve it now: ${cannot.join(', ')}`;
    const which = held.has(vip)
      ? `${vip}, which left pool ${change.pool} by an edit and is announced still,`
      : `${vip} of pool ${change.pool}`;
    const message = `VIP ${which} would be left without anyone: ${why}`;
    const fix = `drain the cluster ${pool.spec.cluster} instead, or bring another blade into service first`;
    const letGo = held.has(vip) ? `, or accept on each blade that it goes (tideline accept ${vip} --yes)` : '';
    return [{ reason: 'LeavesVip', message, fix: `${fix}${letGo}` }];
  });
}

/**
 * The VIPs that left the pool by an edit and that its blades announce still. Those that no leaving blade has do not count: the Drain
 * takes nothing from them. Nor do those that a pool has, which ends the wait.
 */
function heldVips({ edgePools }: Platform, { pool, leaving }: PoolChange, snapshot: Snapshot): readonly string[] {
  const blades = edgePools.get(pool)?.spec.blades ?? [];
  const all = new Set(blades.flatMap(({ name }) => heldBy(bladePart(snapshot, name)) ?? []));
  const leavers = leaving.map((name) => heldBy(bladePart(snapshot, name)));
  const ofPools = new Set([...edgePools.values()].flatMap(({ spec }) => spec.vips.map(({ address }) => address.text)));
  return [...all].filter(
    (vip) => !ofPools.has(vip) && leavers.some((vips) => vips === undefined || vips.includes(vip)),
  );
}

/** The VIPs that left the pool and that a blade holds; undefined when it does not answer. */
function heldBy(part: AgentPart | undefined): readonly string[] | undefined {
  if (part === undefined || !('edge' in part)) return undefined;
  const waits = (part.edge.notices ?? []).filter(({ reason }) => reason === 'PoolEditWaits');
  return waits.map(({ subject }) => subject);
}

/** Whether a blade could serve a VIP: it is fit, and a router would hear of it. A drained one could, but for its Drain. */
function couldServe(part: AgentPart, vip: string): boolean {
  if (!('edge' in part)) return false;
  const { vips, bgp } = part.edge;
  const state = vips.find(({ address }) => address === vip);
  const fit = state !== undefined && (state.fit || state.reasons.includes('Draining'));
  return fit && isCarried(bgp.neighbors, vip);
}

/** Why a blade could not serve a VIP, for people: the reasons that it gives itself, or that no router would hear of it. */
function whyNot(part: AgentPart | undefined, vip: string): string {
  if (!isHeard(part)) return 'it does not answer';
  const { vips, bgp, vipsMissing } = part.edge;
  const state = vips.find(({ address }) => address === vip);
  if (state === undefined) return vipsMissing[vip] ?? 'its agent does not know the VIP';
  const reasons = state.fit ? [] : state.reasons.filter((reason) => reason !== 'Draining');
  const noSession = `no BGP session of IPv${vip.includes(':') ? 6 : 4} is up`;
  return [...reasons, ...(isCarried(bgp.neighbors, vip) ? [] : [noSession])].join(', ') || 'it is not fit';
}

function bladePart({ agents }: Snapshot, name: string): AgentPart | undefined {
  return agents.find(({ target }) => target.plane === 'edge' && target.server === name);
}

function unknownOf({ leaving, serving }: PoolChange, snapshot: Snapshot): readonly string[] {
  if (leaving.length === 0) return [];
  return [
    ...silentAmong(leaving, snapshot).map(([name, why]) => `which VIPs ${name}, which leaves, announces: ${why}`),
    ...silentAmong(serving, snapshot).map(([name, why]) => `whether ${name}, which stays, can serve: ${why}`),
  ];
}

function silentAmong(names: readonly string[], snapshot: Snapshot): readonly (readonly [string, string])[] {
  return names.flatMap((name) => {
    const part = bladePart(snapshot, name);
    if (part !== undefined && !('problem' in part)) return [];
    return [[name, `its agent ${part?.problem ?? 'was not asked'}`] as const];
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

/** The clusters of which nobody knows whether they serve, and to which users would be led, with the countries of these. */
function silentOf(before: Platform, after: Platform, snapshot: Snapshot): readonly string[] {
  const now = snapshot.takenAtMs;
  const answers = [...after.policies.values()].map(
    (policy) => [answersNow(before, policy, now), answersNow(after, policy, now)] as const,
  );
  return [...after.clusters.keys()].flatMap((name) => {
    const why = whyUnknown(poolsOfCluster(after, name), snapshot);
    if (why === undefined) return [];
    const users = new Set(answers.flatMap(([, next]) => usersOf(next)));
    const led = [...users].filter((code) =>
      answers.some(([old, next]) => shareOf(next, code, name) > shareOf(old, code, name)),
    );
    return led.length === 0 ? [] : [`${name} ${why}: ${listed(led.map(textOf))} would be led there`];
  });
}

/** Undefined when a blade of these pools says that it can serve, or when all say that they cannot. */
function whyUnknown(pools: readonly EdgePool[], snapshot: Snapshot): string | undefined {
  const parts = pools.flatMap(({ spec }) => spec.blades.map(({ name }) => bladePart(snapshot, name)));
  const heard = parts.filter(isHeard);
  if (heard.length === parts.length) return undefined;
  if (heard.length === 0) return 'does not answer';
  const vips = pools.flatMap(({ spec }) => spec.vips.filter(({ scope }) => scope === 'public'));
  const canServe = heard.some((part) => vips.some(({ address }) => couldServe(part, address.text)));
  return canServe ? undefined : 'has no blade that can serve among those that answer';
}

/** The share of the users of a country that a cluster answers while all are healthy. */
function shareOf(answers: Answers, code: string | undefined, cluster: string): number {
  return answersFor(preferenceOf(answers, code).tiers, new Set()).get(cluster) ?? 0;
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
    const alone = usersOf(next).filter(
      (code) =>
        !hasCluster(after, preferenceOf(next, code).tiers, { down, nowMs }) &&
        hasCluster(before, preferenceOf(old, code).tiers, { down, nowMs }),
    );
    if (alone.length === 0) return [];
    const message = `policy ${policy.metadata.name} would be left without a cluster in service for ${listed(alone.map(textOf))}`;
    const kept = [...new Set(alone.flatMap((code) => preferenceOf(next, code).never))];
    const allow = kept.length === 0 ? '' : `; its spec.never keeps users from ${kept.sort().join(', ')}`;
    const fix = `bring another of its clusters into service first, or name one more in the policy${allow}`;
    return [{ reason: 'LeavesCountries', message, fix }];
  });
}

function hasCluster(platform: Platform, tiers: readonly Tier[], { down, nowMs }: Now): boolean {
  return tiers.flat().some(({ name }) => !down.has(name) && drainsOfCluster(platform, name, nowMs).length === 0);
}

/** The users whom a policy answers: of each country, of each state that it names, and of unknown location. */
const usersOf = ({ byCountry }: Answers): readonly (string | undefined)[] => [...byCountry.keys(), undefined];

function movesOf(before: Platform, after: Platform, nowMs: number): readonly CountryMove[] {
  return [...after.policies.values()].flatMap((policy) => {
    const [old, next] = [answersNow(before, policy, nowMs), answersNow(after, policy, nowMs)];
    const changes = usersOf(next).map((code) => ({
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
