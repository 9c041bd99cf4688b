import type { RecordSet } from '../../../answers/record.ts';
import type { Intent } from '../compile/intent.ts';
import type { Limits } from '../dialects/dialect.ts';
import type { ZoneState } from '../providers/provider.ts';
import type { Changes } from '../records/changes.ts';
import { type CheckChanges, checkChangesOf } from '../records/checks.ts';
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
  const checks = checkChangesOf(intent.healthChecks, state, scope, intent.countingChecks);
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
  const deleted = new Set(changes.delete);
  const staying = keysOf([...wanted, ...current.filter((record) => !deleted.has(record))]);
  const named = policies.flatMap(({ entries }) => entries.flatMap(({ checks }) => checks.map(({ key }) => key)));
  return new Set([...staying, ...named]);
}

/** The health checks that records name, by key. */
export function keysOf(records: readonly RecordSet[]): ReadonlySet<string> {
  return new Set(records.flatMap(({ healthCheck }) => healthCheck ?? []));
}
