import { type Distribution, formatShares, movedBetween, sumByCluster } from '../../../answers/distribution.ts';
import { type CountryWeights, countedAlike, weightsAmong } from '../../../model/country-weights.ts';
import { isNetwork } from '../../../model/geo/networks.ts';
import { clusterByAddress } from '../../../model/platform/entries.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { withoutUndefined } from '../../../model/values.ts';
import type { AddressType } from '../compile/entries.ts';
import type { AddressCheck, Reading, View } from '../dialects/dialect.ts';
import { type CountedChecks, failingChecks } from './counted.ts';
import { type DepthChange, Depths } from './depth.ts';
import { placesApart, servedType } from './places.ts';

/** What changes for the users of one host. Shares are of all traffic, 0..1, of which each country has its weight. */
export interface HostImpact {
  readonly host: string;
  /** Share that another cluster answers after the plan while everything is healthy, in the family of which more moves. */
  readonly movedShare: number;
  /** The groups of that family. */
  readonly groups: readonly ImpactGroup[];
  /** The same in the present health; absent while no entry of the policy is known to be down. */
  readonly movedNow?: number;
  /** How much more traffic is led to clusters that are down now, and which they are; absent when none is. */
  readonly lostNow?: { readonly share: number; readonly clusters: readonly string[] };
  /** IPv4 and IPv6, A before AAAA; those for which the host has an answer before or after. */
  readonly families: readonly FamilyImpact[];
  /** Countries that have more or fewer choices than before, when clusters fail one after the other. */
  readonly depth: readonly DepthChange[];
  /** Countries whose users are answered by other clusters over IPv6 than over IPv4 after the plan. */
  readonly familiesDiffer: readonly string[];
}

export interface FamilyImpact extends WorldImpact {
  readonly type: AddressType;
  /** The same in the present health; absent while no entry of the policy is known to be down. */
  readonly now?: WorldImpact & Lost;
  /** The same for each cluster that fails alone, in the order of their names. */
  readonly whileDown: readonly FailureImpact[];
}

export interface FailureImpact extends WorldImpact, Lost {
  readonly cluster: string;
}

interface Lost {
  /** Share that is answered with what is down, and the clusters, or addresses of none, of which that is more than before. */
  readonly lost: { readonly before: number; readonly after: number; readonly moreAt: readonly string[] };
}

/** How much of what moves while a cluster is down moves away from another: who had a dead answer and gets another loses nothing. */
export function movedFromLiving({ movedShare, lost }: WorldImpact & Lost): number {
  return Math.max(0, movedShare - Math.max(0, lost.before - lost.after));
}

interface WorldImpact {
  readonly movedShare: number;
  /**
   * Countries grouped by their answers before and after; groups that move more traffic come first, then those with more
   * countries.
   */
  readonly groups: readonly ImpactGroup[];
}

interface ImpactGroup {
  readonly before: string;
  readonly after: string;
  /** When both are the same shares of several clusters: on which side a user is given all of them at once, and on the other one of them. */
  readonly allAtOnce?: 'before' | 'after';
  readonly countries: readonly string[];
  readonly movedShare: number;
}

/**
 * Compares what hosts answer before and after, as the provider reads their records: for each address family, while everything is
 * healthy, in the present health, and while each cluster alone is down. A host that had no answer moves no traffic; one that loses its answer moves all of it.
 * Users whose family has no record are answered by the other: an AAAA record that is new moves them from what A answered.
 */
export function impactsOf(
  platform: Platform,
  hosts: readonly string[],
  before: Reading,
  after: Reading,
  { downNow = new Map(), counted = nothingCounted, weights = countedAlike() }: Situation = {},
): readonly HostImpact[] {
  const clusterOfAddress = clusterByAddress(platform);
  const failing = (cluster: string, { checks }: Reading): readonly AddressCheck[] =>
    checks.filter(({ address }) => clusterOfAddress.get(address) === cluster);
  const clusters = [...new Set(clusterOfAddress.values())].sort();
  const world = (cluster?: string): World => ({
    isDown: (_address, of) => of !== undefined && of === cluster,
    before: { reading: before, failed: cluster === undefined ? [] : failing(cluster, before) },
    after: { reading: after, failed: cluster === undefined ? [] : failing(cluster, after) },
    clusterOfAddress,
    weights,
    known: new Map(),
  });
  const typesOf = (host: string): readonly AddressType[] => [
    ...new Set([...before.types(host), ...after.types(host)].sort()),
  ];
  // World by world, because a reading keeps the views of one set of failed checks at a time.
  const measure = (of: World, some: readonly string[] = hosts): ReadonlyMap<string, Measured> =>
    new Map(some.flatMap((host) => typesOf(host).map((type) => [`${host} ${type}`, measureIn(of, host, type)])));
  const now = new Map(
    [...Map.groupBy(hosts, (host) => downNow.get(host) ?? nothingDown)].flatMap(([addresses, some]) => {
      if (addresses.size + counted.before.size + counted.after.size === 0) return [];
      const sides = {
        before: { reading: before, failed: failingChecks(before, addresses, counted.before) },
        after: { reading: after, failed: failingChecks(after, addresses, counted.after) },
      };
      const isDown = (address: string): boolean => addresses.has(address);
      return [...measure({ isDown, ...sides, clusterOfAddress, weights, known: new Map() }, some)];
    }),
  );
  const healthy = measure(world());
  const depths = new Depths({ before, after, clusterOfAddress, weights });
  const down = clusters.map((cluster) => ({ cluster, of: measure(world(cluster)) }));
  return hosts.map((host) => {
    const families = typesOf(host).flatMap((type): readonly FamilyImpact[] => {
      const whole = healthy.get(`${host} ${type}`);
      if (whole === undefined) return [];
      const whileDown = down.flatMap(({ cluster, of }) => {
        const measured = of.get(`${host} ${type}`);
        return measured === undefined ? [] : [{ cluster, ...measured }];
      });
      const { movedShare, groups } = whole;
      return [{ type, movedShare, groups, ...withoutUndefined({ now: now.get(`${host} ${type}`) }), whileDown }];
    });
    const most = families.reduce<FamilyImpact | undefined>(
      (best, family) => (best === undefined || family.movedShare > best.movedShare + 1e-9 ? family : best),
      undefined,
    );
    return {
      host,
      movedShare: most?.movedShare ?? 0,
      groups: most?.groups ?? [],
      ...(families.some((family) => family.now !== undefined)
        ? { movedNow: Math.max(...families.map((family) => family.now?.movedShare ?? 0)) }
        : {}),
      ...withoutUndefined({ lostNow: lostNowOf(families) }),
      families,
      depth: typesOf(host).flatMap((type) => depths.changes(host, type)),
      familiesDiffer: countriesThatDiffer(after, host, clusterOfAddress),
    };
  });
}

/** Only clusters count to which more is led than before: what was led to a dead one already is none of the plan's doing. */
function lostNowOf(families: readonly FamilyImpact[]): HostImpact['lostNow'] {
  const lost = families.flatMap(({ now }) => (now === undefined ? [] : [now.lost]));
  const share = Math.max(0, ...lost.map(({ before, after }) => after - before));
  const clusters = [...new Set(lost.flatMap(({ moreAt }) => moreAt))].sort();
  return share > 1e-9 ? { share, clusters } : undefined;
}

/** What a plan is judged in. */
export interface Situation {
  readonly downNow?: DownNow;
  /** The checks that count otherwise than their endpoints are, in the records before and in those after. */
  readonly counted?: Readonly<Record<'before' | 'after', CountedChecks>>;
  readonly weights?: CountryWeights;
}

const nothingDown: ReadonlySet<string> = new Set();
const nothingCounted = { before: new Map(), after: new Map() } as const;

/** The addresses that are down now, by host; hosts of one policy share one set. */
export type DownNow = ReadonlyMap<string, ReadonlySet<string>>;

/** The share that moves in the present health or while everything is healthy, whichever is larger. */
export function worstShare({ movedShare, movedNow = 0 }: HostImpact): number {
  return Math.max(movedShare, movedNow);
}

/** The share that moves in the present health. */
export function shareNow({ movedShare, movedNow = movedShare }: HostImpact): number {
  return movedNow;
}

/** The countries whose answers change now or while everything is healthy, in either family. */
export function countriesThatMove({ families }: HostImpact): readonly string[] {
  const changed = families.flatMap(({ groups, now }) =>
    [...groups, ...(now?.groups ?? [])].filter(({ before, after }) => before !== after),
  );
  return [...new Set(changed.flatMap((group) => group.countries))];
}

/** One state of health, in which answers before and after are compared. */
interface World {
  /** Whether an address is down, which belongs to this cluster. */
  readonly isDown: (address: string, cluster: string | undefined) => boolean;
  readonly before: Side;
  readonly after: Side;
  readonly clusterOfAddress: ReadonlyMap<string, string>;
  readonly weights: CountryWeights;
  /** What was measured of a view before and a view after; hosts with the same records share views. */
  readonly known: Map<View, Map<View, Measured>>;
}

interface Side {
  readonly reading: Reading;
  readonly failed: readonly AddressCheck[];
}

type Measured = WorldImpact & Lost;

function measureIn(world: World, host: string, type: AddressType): Measured {
  const [before, after] = [viewOf(world.before, host, type), viewOf(world.after, host, type)];
  const ofBefore = world.known.get(before) ?? new Map<View, Measured>();
  world.known.set(before, ofBefore);
  // The same views tell the same states apart.
  const places = (): readonly string[] => placesApart([world.before.reading, world.after.reading], host, type);
  const told = { before: networksTold(world.before, host, type), after: networksTold(world.after, host, type) };
  const measured = ofBefore.get(after) ?? compare(world, { before, after, places: places(), told });
  ofBefore.set(after, measured);
  return measured;
}

/** What the users of a family get: its own records or, where it has none, those of the other family. */
function viewOf({ reading, failed }: Side, host: string, type: AddressType): View {
  return reading.view(host, servedType(reading, host, type), failed);
}

function networksTold({ reading }: Side, host: string, type: AddressType): ReadonlySet<string> {
  return new Set(reading.apart(host, servedType(reading, host, type)).filter(isNetwork));
}

interface Compared {
  readonly before: View;
  readonly after: View;
  readonly places: readonly string[];
  /** The networks that each side tells apart. */
  readonly told: Readonly<Record<'before' | 'after', ReadonlySet<string>>>;
}

function compare({ isDown, clusterOfAddress, weights }: World, { before, after, places, told }: Compared): Measured {
  const weightOf = weightsAmong(weights, places);
  const answerBefore = sharesOf(before, clusterOfAddress, told.before);
  const answerAfter = sharesOf(after, clusterOfAddress, told.after);
  const clusterOf = (view: View, address: string): string | undefined =>
    view.clusterOf(address) ?? clusterOfAddress.get(address);
  /** What is answered with dead addresses, by cluster. */
  const deadIn = (view: View, code: string): Distribution =>
    sumByCluster(
      new Map([...view.answer(code)].filter(([address]) => isDown(address, clusterOf(view, address)))),
      (address) => clusterOf(view, address),
    );
  const groups = new Map<
    string,
    Pick<ImpactGroup, 'before' | 'after' | 'allAtOnce'> & { countries: string[]; moved: number }
  >();
  /** Whether one record gives the users of a country addresses of several clusters at once. */
  const allAtOnce = (view: View, code: string): boolean =>
    view.trace(code).some(({ target }) => {
      const clusters = target.kind === 'values' ? target.values.map((one) => clusterOf(view, one) ?? one) : [];
      return new Set(clusters).size > 1;
    });
  const dead = { before: new Map<string, number>(), after: new Map<string, number>() };
  for (const code of places) {
    const [old, next] = [answerBefore(code), answerAfter(code)];
    const shares = { before: formatShares(old), after: formatShares(next) };
    const once =
      old.size > 1 && shares.before === shares.after ? [allAtOnce(before, code), allAtOnce(after, code)] : [];
    const texts = {
      ...shares,
      ...(once[0] === once[1] ? {} : ({ allAtOnce: once[0] === true ? 'before' : 'after' } as const)),
    };
    const key = `${texts.before} > ${texts.after} ${texts.allAtOnce ?? ''}`;
    const group = groups.get(key) ?? { ...texts, countries: [], moved: 0 };
    group.countries.push(code);
    group.moved += movedShareOf(old, next) * weightOf(code);
    groups.set(key, group);
    if (old !== answerOfCountry) addTo(dead.before, deadIn(before, code), weightOf(code));
    if (next !== answerOfCountry) addTo(dead.after, deadIn(after, code), weightOf(code));
  }
  const sorted = [...groups.values()].sort((a, b) => b.moved - a.moved || b.countries.length - a.countries.length);
  return {
    movedShare: sorted.reduce((sum, group) => sum + group.moved, 0),
    groups: sorted.map(({ moved, ...group }) => ({ ...group, movedShare: moved })),
    lost: lostOf(dead.before, dead.after),
  };
}

function addTo(sum: Map<string, number>, shares: Distribution, weight: number): void {
  for (const [name, share] of shares) sum.set(name, (sum.get(name) ?? 0) + share * weight);
}

function lostOf(before: Distribution, after: Distribution): Lost['lost'] {
  const total = (shares: Distribution): number => [...shares.values()].reduce((sum, share) => sum + share, 0);
  const more = [...after].filter(([name, share]) => share > (before.get(name) ?? 0) + 1e-9);
  return { before: total(before), after: total(after), moreAt: more.map(([name]) => name).sort() };
}

function movedShareOf(before: Distribution, after: Distribution): number {
  if (before.size === 0) return 0;
  return after.size === 0 ? 1 : movedBetween(before, after);
}

function countriesThatDiffer(
  reading: Reading,
  host: string,
  clusterOfAddress: ReadonlyMap<string, string>,
): readonly string[] {
  const [first, second] = reading
    .types(host)
    .map((type) =>
      sharesOf(reading.view(host, type, []), clusterOfAddress, networksTold({ reading, failed: [] }, host, type)),
    );
  if (first === undefined || second === undefined) return [];
  const places = new Set(reading.types(host).flatMap((type) => placesApart([reading], host, type)));
  return [...places].filter((code) => movedBetween(first(code), second(code)) > 1e-9);
}

/**
 * Shares by cluster. Records that name the cluster of an address count first; else the platform says whose address it is. Users of a network that
 * the records do not tell apart have the answer of their country, which nobody knows.
 */
function sharesOf(
  view: View,
  clusterOfAddress: ReadonlyMap<string, string>,
  told: ReadonlySet<string>,
): (place: string) => Distribution {
  const clusterOf = (address: string): string | undefined => view.clusterOf(address) ?? clusterOfAddress.get(address);
  return (place) => {
    const answer = view.answer(place);
    const isUnknown = isNetwork(place) && !told.has(place) && answer.size > 0;
    return isUnknown ? answerOfCountry : sumByCluster(answer, clusterOf);
  };
}

const answerOfCountry: Distribution = new Map([['the answer of their country', 1]]);
