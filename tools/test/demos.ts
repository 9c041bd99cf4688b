import { inLanes } from './lanes.ts';
import type { Result, Step } from './step.ts';

/** As many as there are processors to fill; more would only fill memory. */
const lanesBeside = 2;

/**
 * Runs the demos one after the other. They wait for most of their time, but what they judge may not wait for a processor: what
 * runs beside them is scheduled only when nothing of theirs can run (`givesWay`). From `quiet` are taken as many, in its order, as begin
 * before the demos are over; the rest stays in it.
 */
export async function besideDemos(
  demos: readonly Step[],
  quiet: Step[],
  act: (step: Step) => Promise<Result>,
): Promise<readonly Result[]> {
  if (demos.length === 0) return [];
  const queue = quiet.splice(0);
  const judged = inLanes([...demos], 1, act).finally(() => quiet.push(...queue.splice(0)));
  const beside = inLanes(queue, lanesBeside, (step) => act(givesWay(step)));
  return [...(await judged), ...(await beside)];
}

/** The same with the idle policy of sched(7): a hundredth part of any other's weight, and everything else is put before it at once. */
export function givesWay(step: Step): Step {
  return { ...step, command: ['chrt', '--idle', '0', ...step.command] };
}
