import type { ClusterApi } from '../cluster-objects.ts';
import type { StepContext } from '../handlers.ts';
import type { FleetWorld } from '../world.ts';
import type { EvictOptions } from './evict.ts';

/** How patient a drain is; in milliseconds. */
export interface Patience {
  /** Until evicted pods, or the connections of a blade, are gone. */
  readonly patienceMs: number;
  /** Between two looks. */
  readonly everyMs: number;
  /** Until an agent without anything left says so. */
  readonly farewellMs: number;
  /** Until routers have heard that the API's address is withdrawn. */
  readonly routersMs: number;
}

export const usualPatience: Patience = { patienceMs: 600_000, everyMs: 2000, farewellMs: 60_000, routersMs: 3000 };

/** What one drain goes by. */
export interface DrainContext extends Pick<StepContext, 'run' | 'reach' | 'say'>, Patience, EvictOptions {
  readonly api: ClusterApi;
  readonly world: FleetWorld;
  readonly cluster: string;
}
