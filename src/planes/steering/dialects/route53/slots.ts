import { formatTiers, type Tier } from '../../../../answers/answers.ts';
import { withoutRepeats } from '../../../../answers/tiers.ts';
import { compareText, withoutUndefined } from '../../../../model/values.ts';
import { type CountingCheck, countingOf } from '../../compile/counting.ts';
import { type Addresses, leastOf } from '../../compile/entries.ts';
import type { SteeringNotice } from '../../reasons.ts';
import { route53Limits } from './limits.ts';

/**
 * How an ordered list of tiers fits into weighted groups. Route 53 uses records of weight 0 only when every other record
 * of the group is unhealthy, so a group holds two tiers: one by weight, and one in which all records are equal.
 */
export interface Slot {
  readonly main: Tier;
  readonly standby: Tier;
}

/** A share of the answers, and who answers for it: a cluster, and another when that has failed. */
export interface Share {
  readonly weight: number;
  readonly slot: Slot;
  /** Present where the share is left when fewer addresses answer than its cluster wants. */
  readonly counting?: CountingCheck;
}

export interface Packing {
  /** The shares of the first step, each a group of its own, where these have failovers of their own: they come before `slots`. */
  readonly shares?: readonly Share[];
  readonly slots: readonly Slot[];
  /** The tiers that the slots really stand for; they are the wanted ones unless a notice says otherwise. */
  readonly effective: readonly Tier[];
  readonly notices: readonly SteeringNotice[];
}

/**
 * Fits `tiers` into at most `capacity` (one or more) slots. The first two choices stay as they are; with room for more,
 * the last step holds all remaining choices together (FailoverMerged); without room the list ends there (FailoverCut).
 */
export function pack(tiers: readonly Tier[], addresses: Addresses, capacity: number): Packing {
  if (standsApart(tiers[0], addresses, capacity)) return packShares(tiers, addresses, capacity);
  const notices: SteeringNotice[] = [];
  const wanted = tiers.map((tier) => withWholeWeights(tier, addresses, notices));
  if (slotsOf(wanted, addresses).length <= capacity) {
    return { slots: slotsOf(wanted, addresses), effective: wanted, notices };
  }
  if (capacity === 1) return cutAfterSecond(wanted, addresses, notices);
  let effective: readonly Tier[] = wanted;
  while (slotsOf(effective, addresses).length > capacity) {
    effective = [...effective.slice(0, -2), evenByAddress(effective.slice(-2).flat(), addresses)];
  }
  const message = `${wanted.length} choices in order do not fit: choice ${effective.length} and what follows share one step`;
  notices.push({ reason: 'FailoverMerged', message });
  return { slots: slotsOf(effective, addresses), effective, notices };
}

const hasOwnFailover = (tier: Tier = []): boolean => tier.some(({ failover }) => failover !== undefined);

/** Whether a cluster of the tier is left before all of its addresses have failed. */
export function isCounted(tier: Tier = [], addresses: Addresses): boolean {
  return tier.some(({ name }) => leastOf(addresses.get(name) ?? []) > 1);
}

/** Whether the shares of the first step are groups of their own. A check that counts has room on their aliases, where there are any. */
function standsApart(tier: Tier | undefined, addresses: Addresses, capacity: number): boolean {
  return hasOwnFailover(tier) || (capacity > 1 && isCounted(tier, addresses));
}

/**
 * The same where shares have failovers of their own, or are left while some addresses still answer. One step below the host stand the shares, each with room for a cluster and one that takes
 * over, and as a last resort one step for all that follows. Where there is no room for that the shares have no failover but each other. A cluster
 * that is left early takes the one behind it with it, so none is there.
 */
function packShares([first = [], ...rest]: readonly Tier[], addresses: Addresses, capacity: number): Packing {
  const roomOf = (cluster: Tier[number]): number => (capacity === 1 || isCounted([cluster], addresses) ? 0 : 1);
  const shortened = first.map((cluster) => {
    const { name, weight, failover = [] } = cluster;
    const kept = failover.slice(0, roomOf(cluster));
    return { name, weight, ...(kept.length === 0 ? {} : { failover: kept }) };
  });
  const short = first.filter((cluster) => (cluster.failover ?? []).length > roomOf(cluster));
  const lost = short.flatMap((cluster) => (cluster.failover ?? []).slice(roomOf(cluster)));
  const all = withoutRepeats([shortened, ...rest, ...lost.map((name) => [{ name, weight: 1 }])]);
  const notices = short.map((cluster): SteeringNotice => {
    const message = shareCut(cluster, roomOf(cluster), whyCut(cluster.name, addresses, capacity), all);
    return { reason: 'FailoverCut', message };
  });
  if (!standsApart(all[0], addresses, capacity)) {
    const plain = pack(all, addresses, capacity);
    return { ...plain, notices: [...notices, ...plain.notices] };
  }
  const [shares = [], ...others] = all;
  const last = others.length === 0 ? { slots: [], effective: [], notices: [] } : pack(others, addresses, 1);
  return {
    shares: shares.map(({ name, weight, failover = [] }) => ({
      weight,
      slot: { main: evenly([name], addresses), standby: evenly(failover, addresses) },
      ...withoutUndefined({ counting: countingOf(addresses.get(name) ?? []) }),
    })),
    slots: last.slots,
    effective: [shares, ...last.effective],
    notices: [...notices, ...last.notices],
  };
}

function whyCut(name: string, addresses: Addresses, capacity: number): string {
  const least = leastOf(addresses.get(name) ?? []);
  if (capacity === 1)
    return `more than ${route53Limits.recordsPerName} locations, or networks of clients, take a level of the tree`;
  if (least > 1) return `${name} needs ${least} addresses and that takes a level of the tree`;
  return 'the levels of the tree have room for one cluster that takes over';
}

/** What a share loses of its failover, why, and who answers instead: the other shares, or where there is none the next choice of `all`. */
function shareCut({ name, failover = [] }: Tier[number], room: number, why: string, all: readonly Tier[]): string {
  const down = [name, ...failover.slice(0, room)];
  const answering = ({ name: other, failover: own = [] }: Tier[number]): string[] =>
    [other, ...own].filter((candidate) => !down.includes(candidate)).slice(0, 1);
  const next = all.map((tier) => [...new Set(tier.flatMap(answering))]).find(({ length }) => length > 0) ?? [];
  const then = next.length === 0 ? '' : `; while ${areDown(down)}, ${next.join(' and ')} ${takesAll(next)}`;
  return `share of ${name}: failover ${failover.slice(room).join(', ')} is dropped, because ${why}${then}`;
}

const areDown = (names: readonly string[]): string =>
  `${names.join(' and ')} ${names.length === 1 ? 'is' : 'are'} down`;
const takesAll = ({ length }: readonly string[]): string => (length === 1 ? 'takes all' : 'take all');

const evenly = (names: readonly string[], addresses: Addresses): Tier =>
  evenByAddress(
    names.map((name) => ({ name, weight: 1 })),
    addresses,
  );

/** How many steps of an order are lost with room for `less` slots in place of `more`; a half when only weights are. */
export function lostBetween(tiers: readonly Tier[], addresses: Addresses, more: number, less: number): number {
  const [before, after] = [more, less].map((capacity) => pack(tiers, addresses, capacity)) as [Packing, Packing];
  const steps = before.effective.length - after.effective.length;
  return steps > 0 || formatTiers(before.effective) === formatTiers(after.effective) ? steps : 0.5;
}

function cutAfterSecond(wanted: readonly Tier[], addresses: Addresses, notices: SteeringNotice[]): Packing {
  const [main = [], second = []] = wanted;
  const effective = [main, evenByAddress(second, addresses)];
  const even = isEvenByAddress(second, addresses) ? '' : ', and the second choice is shared by its addresses evenly';
  const lost = wanted.slice(2).flatMap((tier) => tier.map(({ name }) => name));
  const dropped = lost.length === 0 ? '' : `: ${[...new Set(lost)].join(', ')} is dropped`;
  const message = `${wanted.length} choices in order do not fit, none follows the second${dropped}${even}`;
  notices.push({ reason: 'FailoverCut', message });
  return { slots: slotsOf(effective, addresses), effective, notices };
}

function slotsOf(tiers: readonly Tier[], addresses: Addresses): readonly Slot[] {
  const slots: Slot[] = [];
  for (let index = 0; index < tiers.length; index += 1) {
    const next = tiers[index + 1];
    const standby = next !== undefined && isEvenByAddress(next, addresses) ? next : [];
    slots.push({ main: tiers[index] ?? [], standby });
    if (standby.length > 0) index += 1;
  }
  return slots;
}

/** Weight of one record of a cluster: its addresses share the weight of the cluster equally. */
export function recordWeight(cluster: Tier[number], addresses: Addresses): number {
  return cluster.weight / addressCount(cluster.name, addresses);
}

/** The tier with its weights scaled so that the weight of every record is a whole number from 1 to 255. */
function withWholeWeights(tier: Tier, addresses: Addresses, notices: SteeringNotice[]): Tier {
  const multiple = tier.map((cluster) => addressCount(cluster.name, addresses)).reduce(leastCommonMultiple, 1);
  const scaled = tier.map(({ name, weight }) => ({ name, weight: weight * multiple }));
  const records = scaled.map((cluster) => recordWeight(cluster, addresses));
  const divisor = multiple === 1 ? 1 : records.reduce(greatestCommonDivisor, 0);
  const largest = Math.max(...records) / divisor;
  if (largest <= route53Limits.weight) return scaled.map(({ name, weight }) => ({ name, weight: weight / divisor }));
  notices.push({
    reason: 'WeightsRounded',
    message: `weights of ${tier.map(({ name }) => name).join(', ')} are rounded`,
  });
  const factor = route53Limits.weight / Math.max(...records);
  return scaled.map((cluster) => ({
    name: cluster.name,
    weight: Math.max(1, Math.round(recordWeight(cluster, addresses) * factor)) * addressCount(cluster.name, addresses),
  }));
}

function evenByAddress(tier: Tier, addresses: Addresses): Tier {
  return tier
    .map(({ name }) => ({ name, weight: addressCount(name, addresses) }))
    .sort((a, b) => compareText(a.name, b.name));
}

function isEvenByAddress(tier: Tier, addresses: Addresses): boolean {
  return new Set(tier.map((cluster) => recordWeight(cluster, addresses))).size === 1;
}

function addressCount(cluster: string, addresses: Addresses): number {
  return addresses.get(cluster)?.length ?? 1;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function leastCommonMultiple(a: number, b: number): number {
  return (a * b) / greatestCommonDivisor(a, b);
}
