import { drainsOf } from './drain/handlers.ts';
import { gatesOf } from './gates/gates.ts';
import type { StepHandlers } from './handlers.ts';
import type { FleetWorld } from './world.ts';

/** How servers are drained, judged and returned, for runs in this world. */
export function handlersIn(world: FleetWorld): Required<Pick<StepHandlers, 'drain' | 'return' | 'forget' | 'gates'>> {
  return { ...drainsOf(world), gates: gatesOf(world) };
}
