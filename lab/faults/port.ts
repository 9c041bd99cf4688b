import type { Clock } from '../../src/runtime/clock.ts';
import type { RunningCluster } from '../clusters/running.ts';
import type { Network } from '../net/network.ts';
import type { Service, Supervisor } from '../supervise.ts';
import type { Link } from '../world/links.ts';
import type { World } from '../world/topology.ts';

/** What a fault can do to a running lab, and must know of it. A `Lab` satisfies it, and so does a small object in a test. */
export interface FaultPort {
  readonly world: Pick<World, 'datacentres' | 'regions' | 'users'>;
  readonly links: readonly Link[];
  /** The clusters, by name. */
  readonly clusters: ReadonlyMap<string, FaultedCluster>;
  readonly network: Pick<Network, 'ip'>;
  readonly supervisor: Pick<Supervisor, 'names' | 'kill' | 'hold' | 'release' | 'start' | 'remove'>;
  /** Many more users at a place where users are: a program that has not been started. */
  crowdOf(users: string): Service;
  /** The control socket of a router's BIRD. */
  birdSocket(router: string): string;
  /** The platform spec that agents read; faults may write objects into it. */
  readonly platformFolder: string;
  readonly clock: Clock;
}

export type FaultedCluster = Pick<
  RunningCluster,
  'datacentre' | 'blocks' | 'control' | 'inputLosses' | 'loseInput' | 'mendInput' | 'nodeLost' | 'nodeBack'
>;
