import type { EdgeProblem } from '../reasons.ts';

/** What became of an object: `partial` means that some of it serves. Objects of other classes have no condition. */
export interface Condition {
  /** `Ingress/namespace/name`, `EndpointSlice/namespace/name` or `EdgePool/name`. */
  readonly object: string;
  readonly state: 'accepted' | 'partial' | 'refused';
  /** What was refused or does not work, with the field; empty when accepted. */
  readonly problems: readonly EdgeProblem[];
}

/** How many problems of one reason are kept of an object: tenants write objects, and may make many mistakes. */
export const mostProblems = 20;

/** The first problems of each reason; the last one that is kept says how many there are beside. */
export function boundedProblems(problems: readonly EdgeProblem[]): readonly EdgeProblem[] {
  if (problems.length <= mostProblems) return problems;
  return [...Map.groupBy(problems, ({ reason }) => reason).values()].flatMap((same) => {
    const kept = same.slice(0, mostProblems);
    const last = kept.at(-1);
    if (last === undefined || same.length === kept.length) return same;
    const message = `${last.message}; ${same.length - kept.length} more like this are not listed`;
    return [...kept.slice(0, -1), { ...last, message }];
  });
}

/** The conditions with problems that objects have because of others; an accepted object with such a problem is `partial`. */
export function withProblems(conditions: readonly Condition[], problems: readonly EdgeProblem[]): readonly Condition[] {
  if (problems.length === 0) return conditions;
  const byObject = Map.groupBy(problems, ({ object }) => object);
  return conditions.map((condition) => {
    const more = byObject.get(condition.object);
    if (more === undefined) return condition;
    const state = condition.state === 'accepted' ? 'partial' : condition.state;
    return { ...condition, state, problems: boundedProblems([...condition.problems, ...more]) };
  });
}
