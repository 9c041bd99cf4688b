import type { Result, Step } from './step.ts';

/** When more files than this fail, chance is not the cause, and none is run again. */
const mostFailures = 3;

export interface RunResults {
  readonly results: readonly Result[];
  /** The first, failed results of the files that passed when they ran alone. */
  readonly unsteady: readonly Result[];
}

/**
 * Runs failed files once more, alone, because files run beside each other on few processors and some depend on time. A file that
 * then passes is named as unsteady, with what failed at first; it counts as passed only when that is `forgiven`. Results of steps not
 * in `steps` stay.
 */
export async function rerunFailed(
  steps: readonly Step[],
  results: readonly Result[],
  act: (step: Step) => Promise<Result>,
  forgiven: (first: Result) => boolean,
): Promise<RunResults> {
  const failed = results.filter((result) => result.failed > 0 && steps.some(({ name }) => name === result.name));
  if (failed.length > mostFailures) return { results, unsteady: [] };
  const settled = new Map(results.map((result) => [result.name, result]));
  const unsteady: Result[] = [];
  for (const first of failed) {
    const step = steps.find(({ name }) => name === first.name);
    const second = step && (await act(step));
    if (second?.failed !== 0) continue;
    if (forgiven(first)) settled.set(first.name, second);
    unsteady.push(first);
  }
  return { results: [...settled.values()], unsteady };
}
