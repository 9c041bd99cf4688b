import { withoutUndefined } from '../../model/values.ts';
import { deepEqual } from '../objects/equal.ts';

/** A condition as Kubernetes writes it (`metav1.Condition`). */
export interface StatusCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration?: number;
  /** A time as in RFC 3339, in whole seconds. */
  readonly lastTransitionTime: string;
}
export type NewCondition = Omit<StatusCondition, 'lastTransitionTime' | 'observedGeneration'>;

/** The new conditions with the time of their last change of status: a condition whose status did not change keeps its time. */
export function withTransitionTimes(
  wanted: readonly NewCondition[],
  held: readonly Partial<StatusCondition>[],
  nowMs: number,
  observedGeneration: number | undefined,
): readonly StatusCondition[] {
  const now = new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z');
  return wanted.map((condition) => {
    const before = held.find(({ type }) => type === condition.type);
    const since = before?.status === condition.status ? before.lastTransitionTime : undefined;
    return {
      ...condition,
      ...withoutUndefined({ observedGeneration }),
      lastTransitionTime: since ?? now,
    };
  });
}

/** True when the object holds every one of our conditions as it should be; the conditions of other writers do not count. */
export function holdsConditions(
  held: readonly Partial<StatusCondition>[],
  wanted: readonly StatusCondition[],
): boolean {
  return wanted.every((condition) =>
    deepEqual(
      condition,
      held.find(({ type }) => type === condition.type),
    ),
  );
}
