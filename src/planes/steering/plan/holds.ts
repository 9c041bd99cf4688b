import type { Hold, Holds } from '../../../answers/hold.ts';
import { clustersOfPolicy, failbackOf } from '../../../model/platform/policies.ts';
import type { TrafficPolicy } from '../../../model/spec/kinds.ts';
import { type AddressType, addressTypes, familyOf } from '../compile/entries.ts';
import { duration } from '../compile/recovery.ts';
import type { ProviderName } from '../dialects/dialect.ts';
import type { Failback } from '../failback.ts';
import type { ZoneReader, ZoneState } from '../providers/provider.ts';
import { SteeringError, type SteeringNotice } from '../reasons.ts';
import type { Changes } from '../records/changes.ts';
import { holdChanges, readHolds } from '../records/holds.ts';
import type { Task } from '../records/scope.ts';
import { isoTime } from './guard.ts';
import { type HostImpact, shareNow, worstShare } from './impact.ts';
import { isLeft, type PresentHealth } from './present.ts';

/** What the zone holds back of these policies as they are now: a hold ends with the rule, and with the cluster, that it is of. */
export function standingHolds(policies: readonly TrafficPolicy[], { zone, records }: ZoneState): Holds {
  const standing = readHolds(zone, records);
  return new Map(
    policies.flatMap((policy) => {
      const known = new Set(failbackOf(policy) === undefined ? [] : clustersOfPolicy(policy));
      const held = (standing.get(policy.metadata.name) ?? []).filter(({ cluster }) => known.has(cluster));
      return held.length === 0 ? [] : [[policy.metadata.name, held] as const];
    }),
  );
}

/** The changes, with those of the records that say what is held back: all of them, where the task is about the whole zone. */
export function withHolds(
  changes: Changes,
  task: Task,
  { zone, records }: ZoneState,
  kept: Parameters<typeof holdChanges>[1],
): Changes {
  if (task.kind !== 'everything') return changes;
  const swap = holdChanges(zone, kept, records);
  return {
    ...changes,
    create: [...changes.create, ...swap.create],
    delete: [...changes.delete, ...swap.delete],
  };
}

/** What the zone holds back when the task is done. Throws NotHeld. */
export function holdsAfter(task: Task, standing: Holds, zone: string): Holds {
  if (task.kind !== 'everything') return standing;
  if (task.holds !== undefined) return task.holds.held;
  return task.returned === undefined ? standing : holdsWithout(standing, task.returned, zone);
}

/** What a plan moves by itself: where it only follows failures, and ends at the policy as written, nothing counts with later plans. */
export function movedBy<Impact>(task: Task, impacts: readonly Impact[]): readonly Impact[] {
  return task.kind === 'everything' && task.holds !== undefined ? [] : impacts;
}

/** The share that a plan moves, of the host of which it is most: by itself, where it follows failures, and at its worst elsewhere. */
export function shareMovedBy({
  task,
  impacts,
}: {
  readonly task: Task;
  readonly impacts: readonly HostImpact[];
}): number {
  return Math.max(0, ...impacts.map(task.kind === 'everything' && task.holds !== undefined ? shareNow : worstShare));
}

/** What is held back without this cluster. Throws NotHeld. */
function holdsWithout(
  holds: Holds,
  { policy, cluster }: { readonly policy: string; readonly cluster: string },
  zone: string,
): Holds {
  const left = (holds.get(policy) ?? []).filter((hold) => hold.cluster !== cluster);
  if (left.length < (holds.get(policy)?.length ?? 0)) return new Map(holds).set(policy, left);
  const names = [...holds].flatMap(([name, held]) => held.map((hold) => `${hold.cluster} of ${name}`));
  const others = names.length === 0 ? 'nothing is' : `held back are ${names.join(' and ')}`;
  throw new SteeringError('NotHeld', `the zone ${zone} does not hold back ${cluster} of policy ${policy}; ${others}`);
}

/** By whom the health of endpoints could be told. */
export function isWatchedBy(reader: ZoneReader): { readonly provider: ProviderName; readonly isWatched: boolean } {
  return { provider: reader.name, isWatched: reader.readHealth !== undefined };
}

/** Which clusters are held back and how that ends, and what keeps the rule of a policy from being followed. */
export function holdNotices(
  policies: readonly TrafficPolicy[],
  holds: Holds,
  { provider, isWatched }: ReturnType<typeof isWatchedBy>,
): readonly SteeringNotice[] {
  return policies.flatMap((policy): readonly SteeringNotice[] => {
    const rule = failbackOf(policy);
    if (rule === undefined) return [];
    const name = policy.metadata.name;
    const held = holdTexts(policy, holds).map((message): SteeringNotice => ({ reason: 'HeldBack', message }));
    if (!isWatched) {
      const message = `policy ${name}: ${provider} tells nobody what its health checks say, so users return to a cluster at once, whatever spec.failback says`;
      return [...held, { reason: 'FailbackUnseen', message }];
    }
    if (held.length > 0) return held;
    const message = `policy ${name}: spec.failback ${rule.mode} needs \`tideline steering agent\` in the mode automatic; without one users return to a cluster as soon as it is healthy`;
    return [{ reason: 'FailbackNeedsAgent', message }];
  });
}

/** Which clusters of a policy are held back and how that ends, a sentence each. */
export function holdTexts(policy: TrafficPolicy, holds: Holds): readonly string[] {
  const { name } = policy.metadata;
  const rule = failbackOf(policy);
  if (rule === undefined) return [];
  return (holds.get(name) ?? []).map(
    (hold) =>
      `policy ${name} holds back ${hold.cluster} since ${isoTime(hold.sinceMs)}, because it was down (${hold.by}); ${endOf(hold, rule)}`,
  );
}

/**
 * The clusters of which some addresses are down, say the provider's checkers, and that are a first choice over others: nothing holds them back. One that is held already stays so, and its
 * time begins anew.
 */
export function partlyDown(
  policies: readonly TrafficPolicy[],
  holds: Holds,
  health: readonly PresentHealth[],
): readonly SteeringNotice[] {
  return policies.flatMap((policy) => {
    const name = policy.metadata.name;
    const held = new Set(holds.get(name)?.map(({ cluster }) => cluster));
    const told = failbackOf(policy) === undefined ? [] : health.filter((one) => one.policy === name);
    return [...Map.groupBy(told, ({ cluster }) => cluster)].flatMap(([cluster, entries]): readonly SteeringNotice[] => {
      const down = entries.filter(({ healthy, seenBy }) => healthy === false && seenBy === 'provider');
      if (down.length === 0 || isLeft(entries) || held.has(cluster)) return [];
      const message = `policy ${name}: ${cluster} is down ${partText(down, entries)} only; it is held back only when too few addresses answer for a first choice in every family, so users return to those as soon as they are healthy`;
      return [{ reason: 'FailbackPartly', message }];
    });
  });
}

/** Which part of a cluster is down: a family, where that is what it is. */
function partText(down: readonly PresentHealth[], entries: readonly PresentHealth[]): string {
  const typesOf = (some: readonly PresentHealth[]): readonly string[] => [...new Set(some.map(typeOf))];
  const up = entries.filter((one) => !down.includes(one));
  const [type, ...others] = addressTypes.filter((one) => typesOf(down).includes(one));
  if (type !== undefined && others.length === 0 && !typesOf(up).includes(type)) return `over ${familyOf(type)}`;
  return `at ${down.map(({ address }) => address).join(', ')}`;
}

const typeOf = ({ address }: PresentHealth): AddressType => (address.includes(':') ? 'AAAA' : 'A');

/** How a hold ends, as a clause. */
export function endOf({ healthySeconds, back }: Hold, { mode, holdMinutes, stepShare, stepMinutes }: Failback): string {
  if (mode === 'byHand') return 'its users return when a person says so with `tideline steering failback`';
  if (back.upTo !== undefined || back.next !== undefined) return stepText(back, { stepShare, stepMinutes });
  const seen = healthySeconds === 0 ? '' : `, which it has been for ${duration(healthySeconds)}`;
  const how = mode === 'gradual' ? ` in steps of ${stepShare * 100}% at most` : '';
  return `its users return${how} when it has been healthy for ${duration(holdMinutes * 60)}${seen}`;
}

/** How far users have been led back, as a clause. */
export function stepText(
  { upTo, next }: Hold['back'],
  { stepShare, stepMinutes }: Pick<Failback, 'stepShare' | 'stepMinutes'>,
): string {
  const nameOf = (code: string): string => code || 'users of unknown location';
  const reached = next === undefined ? nameOf(upTo ?? 'nobody') : `a part of ${nameOf(next.code)}`;
  return `its users are led back, now up to ${reached}, at most ${stepShare * 100}% of the traffic each ${stepMinutes} minutes`;
}
