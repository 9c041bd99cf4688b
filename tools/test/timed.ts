import { runInLanes } from './lanes.ts';
import type { Result, Step } from './step.ts';

/** As many lanes as fill the processors; more would only fill memory. */
const lanesBeside = 2;

/**
 * Runs the timed steps one after the other. They wait for most of their time, but the programs that they judge must not wait for a
 * processor: steps that run beside them are scheduled only when nothing of theirs can run (`withIdlePriority`). The steps that
 * begin before the timed ones are over are taken from `quiet`, in its order; the rest stays in it.
 */
export async function runTimed(
  timed: readonly Step[],
  quiet: Step[],
  act: (step: Step) => Promise<Result>,
): Promise<readonly Result[]> {
  if (timed.length === 0) return [];
  const queue = quiet.splice(0);
  const judged = runInLanes([...timed], 1, act).finally(() => quiet.push(...queue.splice(0)));
  const beside = runInLanes(queue, lanesBeside, (step) => act(withIdlePriority(step)));
  return [...(await judged), ...(await beside)];
}

/**
 * The same step, run only when nothing else on the machine wants the processor. The idle policy of sched(7) ranks it within its
 * session only: the kernel shares processors out among sessions first (autogroups), and every service of a lab is one. So the step
 * gets a session of its own, with the least weight.
 */
export function withIdlePriority(step: Step): Step {
  const script = '{ echo 19 >/proc/self/autogroup; } 2>/dev/null; exec chrt --idle 0 "$@"';
  return { ...step, command: ['setsid', 'sh', '-c', script, 'gives-way', ...step.command] };
}
