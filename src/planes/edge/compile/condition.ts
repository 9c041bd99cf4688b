import type { EdgeProblem } from '../reasons.ts';

/** What became of an object: `partial` means that some of it serves. Objects of other classes have no condition. */
export interface Condition {
  /** `Ingress/namespace/name`, `EndpointSlice/namespace/name` or `EdgePool/name`. */
  readonly object: string;
  readonly state: 'accepted' | 'partial' | 'refused';
  /** What was refused or does not work, with the field; empty when accepted. */
  readonly problems: readonly EdgeProblem[];
}

/** The conditions with problems that objects have because of others; an accepted object with such a problem is `partial`. */
export function withProblems(conditions: readonly Condition[], problems: readonly EdgeProblem[]): readonly Condition[] {
  if (problems.length === 0) return conditions;
  const byObject = Map.groupBy(problems, ({ object }) => object);
  return conditions.map((condition) => {
    const more = byObject.get(condition.object);
    if (more === undefined) return condition;
    const state = condition.state === 'accepted' ? 'partial' : condition.state;
    return { ...condition, state, problems: [...condition.problems, ...more] };
  });
}
