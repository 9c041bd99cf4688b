import {
  holdsConditions,
  type NewCondition,
  type StatusCondition,
  withTransitionTimes,
} from '../kube/status/conditions.ts';

/** Our conditions of an object as they should be, and as it holds them. */
export interface OwnConditions {
  readonly wanted: readonly StatusCondition[];
  /** The identical list as `wanted` when the object holds them. */
  readonly held: readonly Partial<StatusCondition>[];
}

/**
 * The conditions of `types`, which are ours, out of those that the object holds. A condition keeps the time of `before`, which was wanted last, or
 * that which it holds.
 */
export function ownConditions(
  conditions: readonly NewCondition[],
  types: readonly string[],
  {
    held,
    before,
  }: {
    readonly held: readonly Partial<StatusCondition>[];
    readonly before: readonly Partial<StatusCondition>[] | undefined;
  },
  { nowMs, generation }: { readonly nowMs: number; readonly generation: number | undefined },
): OwnConditions {
  const wanted = withTransitionTimes(conditions, before ?? held, nowMs, generation);
  const mine = held.filter(({ type }) => types.includes(type ?? ''));
  const holds = mine.length === wanted.length && holdsConditions(mine, wanted);
  return { wanted, held: holds ? wanted : mine };
}
