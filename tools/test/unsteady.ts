import type { Result, Step } from './step.ts';

/** When more files than this fail, it is not by chance. */
const most = 3;

export interface Settled {
  readonly results: readonly Result[];
  /** How those failed at first that passed alone. */
  readonly unsteady: readonly Result[];
}

/**
 * Files run beside each other on few processors, and some wait for clocks: a file that failed so runs once more, alone. When
 * it passes it counts as passed and is named as unsteady, with what failed at first. A result of no step in `steps` stays as it is.
 */
export async function settle(
  steps: readonly Step[],
  results: readonly Result[],
  act: (step: Step) => Promise<Result>,
): Promise<Settled> {
  const failed = results.filter((result) => result.failed > 0 && steps.some(({ name }) => name === result.name));
  if (failed.length > most) return { results, unsteady: [] };
  const settled = new Map(results.map((result) => [result.name, result]));
  const unsteady: Result[] = [];
  for (const first of failed) {
    const step = steps.find(({ name }) => name === first.name);
    const second = step && (await act(step));
    if (second?.failed !== 0) continue;
    settled.set(first.name, second);
    unsteady.push(first);
  }
  return { results: [...settled.values()], unsteady };
}
