import { groupKey, type RecordSet } from '../../../../answers/record.ts';
import { atLeastOfKey, type CountingCheck, countingCheck } from '../../compile/counting.ts';

/**
 * The check of an alias of ours that counts the checks of the records that the alias leads to. Undefined for any other check, also for one of ours
 * on an alias that somebody led elsewhere: what that counts is not in the records.
 */
export function countedBy(
  { healthCheck, target, type }: RecordSet,
  groups: ReadonlyMap<string, readonly RecordSet[]>,
): CountingCheck | undefined {
  if (healthCheck === undefined || target.kind !== 'alias') return undefined;
  const atLeast = atLeastOfKey(healthCheck);
  if (atLeast === undefined) return undefined;
  const members = groups.get(groupKey({ name: target.name, type })) ?? [];
  const check = countingCheck(
    members.flatMap((member) => member.healthCheck ?? []),
    atLeast,
  );
  return check.key === healthCheck ? check : undefined;
}
