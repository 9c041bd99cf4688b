import type { Answers } from '../../../answers/answers.ts';
import { parseShares } from '../../../answers/distribution.ts';
import { choicesOf } from '../../../answers/tiers.ts';
import { isNetwork } from '../../../model/geo/networks.ts';
import { drainsOfCluster, isInForce } from '../../../model/platform/drains.ts';
import { clustersOfPolicy } from '../../../model/platform/policies.ts';
import type { TrafficPolicy } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { type Addresses, addressTypes, entriesOfType, familyOf } from '../compile/entries.ts';
import type { Intent } from '../compile/intent.ts';
import { duration } from '../compile/recovery.ts';
import { servedBy } from '../dialects/servable.ts';
import type { SteeringNotice } from '../reasons.ts';
import type { AppliedPlan } from '../records/applied.ts';
import type { Changes } from '../records/changes.ts';
import { networksRemembered } from '../records/journal.ts';
import type { Task } from '../records/scope.ts';
import { formatCountries } from './countries-text.ts';
import { isoTime } from './guard.ts';
import { countriesThatMove, type HostImpact } from './impact.ts';
import { overlayNotices } from './overlays.ts';

/** Why users move, and what is odd about how they are answered. */
export function aboutUsers(
  platform: Platform,
  { policies }: Intent,
  impacts: readonly HostImpact[],
  nowMs: number,
): readonly SteeringNotice[] {
  const names = policies.map(({ policy }) => policy.metadata.name);
  return [
    ...overlayNotices(platform, names, impacts),
    ...impacts.flatMap(differingFamilies),
    ...networksMoved(impacts),
    ...endedDrains(platform, impacts, nowMs),
  ];
}

/** That what moves of networks is not measured, where a plan moves some. */
function networksMoved(impacts: readonly HostImpact[]): readonly SteeringNotice[] {
  const moved = [...new Set(impacts.flatMap(countriesThatMove))].filter(isNetwork).sort();
  if (moved.length === 0) return [];
  const some =
    moved.length > networksRemembered
      ? `; of what is moved of them the guard remembers ${networksRemembered} at most`
      : '';
  const message = `how many requests come from ${formatCountries(moved)} is not known: each network counts as an average country${some}`;
  return [{ reason: 'NetworksGuessed', message }];
}

/**
 * The Drains that are over while the zone still answers as in force: those of clusters to which users return by the plan.
 */
function endedDrains(platform: Platform, impacts: readonly HostImpact[], nowMs: number): readonly SteeringNotice[] {
  return [...platform.drains.values()].flatMap((drain): readonly SteeringNotice[] => {
    const endMs = Date.parse(drain.spec.expires);
    if (isInForce(drain, nowMs)) return [];
    const freed = [...platform.clusters.keys()].filter(
      (cluster) =>
        drainsOfCluster(platform, cluster, endMs - 1).includes(drain) &&
        drainsOfCluster(platform, cluster, nowMs).length === 0,
    );
    return freed.flatMap((cluster): readonly SteeringNotice[] => {
      const countries = returningTo(cluster, impacts);
      if (countries.length === 0) return [];
      const ago = duration(Math.floor((nowMs - endMs) / 60_000) * 60);
      const message = `Drain ${drain.metadata.name} of ${cluster} ended ${ago} ago; the next apply returns ${formatCountries(countries)} to ${cluster}`;
      return [{ reason: 'DrainEnded', message }];
    });
  });
}

/** The Drains in force that the plain records of a release would make last for ever. */
export function drainedAtRelease(
  platform: Platform,
  policy: TrafficPolicy | undefined,
  nowMs: number,
): readonly SteeringNotice[] {
  const clusters = policy === undefined ? [] : clustersOfPolicy(policy);
  return clusters.flatMap((cluster): readonly SteeringNotice[] => {
    const [drain] = drainsOfCluster(platform, cluster, nowMs);
    if (drain === undefined) return [];
    const message = `${cluster} is drained until ${drain.spec.expires}; the plain records lead nobody to it, also afterwards`;
    return [{ reason: 'ReleasedDrained', message }];
  });
}

/**
 * Names the users to whom `never` leaves a single cluster, though the policy has more: nobody takes over when it fails. A family counts by itself,
 * where several clusters have an address of it; where only one has, `never` takes nothing away.
 */
export function leftAlone({ policy, answers, entries }: Intent['policies'][number]): readonly SteeringNotice[] {
  const served = addressTypes
    .map((type) => ({ type, addresses: entriesOfType(entries, type) }))
    .filter(({ addresses }) => addresses.size > 1);
  const alone = served.flatMap(({ type, addresses }) =>
    [...aloneIn(answers, addresses)].map(([cluster, who]) => ({ type, text: `only ${cluster} to ${who}` })),
  );
  return [...Map.groupBy(alone, ({ text }) => text)].map(([text, some]) => {
    const over = some.length === served.length ? '' : some.map(({ type }) => ` over ${familyOf(type)}`).join('');
    const message = `policy ${policy.metadata.name}: spec.never leaves ${text}${over}; while it is down they are answered with it all the same`;
    return { reason: 'NoOtherAllowed', message };
  });
}

/** Whom `never` leaves a single one of the clusters that have these addresses, by that cluster. */
function aloneIn({ byCountry, unknown }: Answers, addresses: Addresses): ReadonlyMap<string, string> {
  const alone = [...byCountry, ['', unknown] as const].flatMap(([code, { tiers, never }]) => {
    const [cluster, ...others] = new Set(servedBy(tiers, addresses).flat().flatMap(choicesOf));
    return never.length === 0 || cluster === undefined || others.length > 0 ? [] : [{ code, cluster }];
  });
  const byCluster = Map.groupBy(alone, ({ cluster }) => cluster);
  return new Map([...byCluster].map(([cluster, some]) => [cluster, formatCountries(some.map(({ code }) => code))]));
}

/** The countries of which the cluster answers more after the plan, in either family. */
function returningTo(cluster: string, impacts: readonly HostImpact[]): readonly string[] {
  const shareOf = (text: string): number => parseShares(text).get(cluster) ?? 0;
  const groups = impacts.flatMap(({ families }) => families.flatMap((family) => family.groups));
  const growing = groups.filter(({ before, after }) => before !== 'nothing' && shareOf(after) > shareOf(before));
  return [...new Set(growing.flatMap(({ countries }) => countries))].sort();
}

/** Names the countries whose users are answered by other clusters over IPv6 than over IPv4. */
export function differingFamilies({ host, familiesDiffer }: HostImpact): readonly SteeringNotice[] {
  if (familiesDiffer.length === 0) return [];
  const message = `${host}: IPv6 is answered by other clusters than IPv4 for ${formatCountries(familiesDiffer)}`;
  return [{ reason: 'FamiliesDiffer', message }];
}

/** Says that a plan of the spec undoes the rollback that was applied last. */
export function leavesRollback(
  task: Task,
  { create, delete: unwanted }: Changes,
  applies: readonly AppliedPlan[],
): readonly SteeringNotice[] {
  const [last] = applies;
  if (last === undefined || !last.task.startsWith('rollback:') || last.outcome !== 'done') return [];
  if (task.kind !== 'everything' || task.rollback !== undefined || create.length + unwanted.length === 0) return [];
  const { by, atMs, reason } = last;
  const to = last.task.slice('rollback:'.length);
  const why = reason === undefined ? '' : ` (${reason})`;
  const message = `${by} rolled the zone back to generation ${to} at ${isoTime(atMs)}${why}; this plan leads away from that again`;
  return [{ reason: 'RolledBack', message }];
}
