import type { RecordSet } from '../../../answers/record.ts';
import type { Intent } from '../compile/intent.ts';
import type { Limits } from '../dialects/dialect.ts';
import type { ZoneState } from '../providers/provider.ts';
import type { Changes } from '../records/changes.ts';
import { type CheckChanges, checkChangesOf } from '../records/checks.ts';
import { collectionChangesOf, collectionsOf } from '../records/collections.ts';
import { roomToRetire } from '../records/retired.ts';
import type { Task } from '../records/scope.ts';

/** What is to be done about health checks. A step for one host leaves those that nothing uses to the next apply. */
export function checksOf(task: Task, whole: Intent, found: FoundZone): CheckChanges {
  const { intent, state, changes, limits, nowMs } = found;
  const { hosts, listed, retired } = changes.registryBefore;
  const isStep = 'host' in task;
  const scope = {
    answers: hosts.length > 0 || task.kind === 'adopt',
    kept: keptChecks(whole, intent.wanted.records, state.records, changes),
    retired,
    retireRoom: isStep ? 0 : roomToRetire(retired, limits.values - 1 - listed.length),
    nowMs: isStep ? 0 : nowMs,
  };
  const collections = collectionChangesOf(intent.collections, state.collections, {
    ...scope,
    kept: collectionsOf(staying(intent.wanted.records, state.records, changes)),
    used: collectionsOf(state.records),
  });
  const room = scope.retireRoom - collections.retire.length;
  const made = checkChangesOf(intent.healthChecks, state, { ...scope, retireRoom: room }, intent.countingChecks);
  const checks = {
    ...made,
    collections,
    retired: [...made.retired, ...collections.retired],
    isFenced: made.isFenced || collections.retire.length > 0,
  };
  return isStep ? { ...checks, update: [], isFenced: false } : checks;
}

export interface FoundZone {
  readonly intent: Intent;
  readonly state: ZoneState;
  readonly changes: Changes;
  readonly limits: Limits;
  readonly nowMs: number;
}

/**
 * The keys of checks that stay: those of all records that the zone holds after the plan, whoever wrote them, and those of every
 * cluster that a policy names. A cluster that is drained keeps its check, which then knows it when it comes back.
 */
function keptChecks(
  { policies }: Intent,
  wanted: readonly RecordSet[],
  current: readonly RecordSet[],
  changes: Changes,
): ReadonlySet<string> {
  const used = keysOf(staying(wanted, current, changes));
  const named = policies.flatMap(({ entries }) => entries.flatMap(({ checks }) => checks.map(({ key }) => key)));
  return new Set([...used, ...named]);
}

/** All records that the zone holds after the plan, whoever wrote them. */
function staying(wanted: readonly RecordSet[], current: readonly RecordSet[], changes: Changes): readonly RecordSet[] {
  const deleted = new Set(changes.delete);
  return [...wanted, ...current.filter((record) => !deleted.has(record))];
}

/** The health checks that records name, by key. */
export function keysOf(records: readonly RecordSet[]): ReadonlySet<string> {
  return new Set(records.flatMap(({ healthCheck }) => healthCheck ?? []));
}

/** The intent with other records, only the health checks and collections that these use, and only the policies that the task is about. */
export function intentWith(intent: Intent, wanted: Intent['wanted'], task: Task): Intent {
  const used = keysOf(wanted.records);
  const healthChecks = intent.healthChecks.filter(({ key }) => used.has(key));
  const countingChecks = intent.countingChecks.filter(({ key }) => used.has(key));
  const named = collectionsOf(wanted.records);
  const collections = intent.collections.filter(({ key }) => named.has(key));
  const whole = { ...intent, wanted, healthChecks, countingChecks, collections };
  if (task.kind === 'everything') return whole;
  const policies = intent.policies.filter(({ policy }) => 'host' in task && policy.spec.hosts.includes(task.host));
  return { ...whole, policies, notices: task.kind === 'adopt' ? intent.notices : [] };
}
