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

/**
 * The same, but whatever else runs on the machine is put before it. The idle policy of sched(7) ranks it within its session only:
 * the kernel shares processors out among sessions first (autogroups), and every service of a lab is one. So it gets a session of
 * its own, of the least weight.
 */
export function givesWay(step: Step): Step {
  const script = '{ echo 19 >/proc/self/autogroup; } 2>/dev/null; exec chrt --idle 0 "$@"';
  return { ...step, command: ['setsid', 'sh', '-c', script, 'gives-way', ...step.command] };
}
