import type { EdgeReason } from '../reasons.ts';

/**
 * The verdict over a check that is repeated: unfit until it was good often enough in a row, then fit until it was bad
 * often enough in a row. `inRow` counts the latest results that contradict the verdict.
 */
export type Fitness =
  | { readonly fit: true; readonly inRow: number }
  | { readonly fit: false; readonly inRow: number; readonly reasons: readonly EdgeReason[] };

/** Results of a check in a row until the verdict changes: withdraw fast, but not on one lost packet. */
const rise = 2;
const fall = 2;

export const untried: Fitness = { fit: false, inRow: 0, reasons: ['NotSynced'] };

/** The verdict after one more result of the check; `reasons` is empty when the result was good. */
export function afterCheck(before: Fitness, reasons: readonly EdgeReason[]): Fitness {
  const good = reasons.length === 0;
  const inRow = good === before.fit ? 0 : before.inRow + 1;
  if (before.fit) return inRow < fall ? { fit: true, inRow } : { fit: false, inRow: 0, reasons };
  if (good) return inRow < rise ? { ...before, inRow } : { fit: true, inRow: 0 };
  return { fit: false, inRow, reasons };
}

/** Why the verdict is unfit; empty when it is fit. */
export function reasonsAgainst(fitness: Fitness): readonly EdgeReason[] {
  return fitness.fit ? [] : fitness.reasons;
}
