import type { Platform } from '../../src/model/spec/platform.ts';
import type { RunningCluster } from '../clusters/running.ts';
import type { FaultBoard } from '../faults/board.ts';
import type { ViewPort } from '../observe/port.ts';
import type { Supervisor } from '../supervise.ts';

/** What the scenario needs of a running lab, beside what views ask of it: a `Lab` is one. */
export interface DemoPort extends ViewPort {
  /** The spec that runs: what the policies promise is read from it. */
  readonly platform: Platform;
  readonly clusters: ReadonlyMap<string, DemoCluster>;
  readonly supervisor: Pick<Supervisor, 'status' | 'hold' | 'release'>;
  /** Holds a folder for each server, with the sockets of its programs. */
  readonly runFolder: string;
  /** Whether clusters have real control planes: there are steps for these alone. */
  readonly hasControlPlanes: boolean;
}

export type DemoCluster = Pick<
  RunningCluster,
  'datacentre' | 'pods' | 'control' | 'inputLosses' | 'scaleUp' | 'claimBlock'
>;

/** Begins and heals faults, and says which are in force: a `FaultBoard`. */
export type Faults = Pick<FaultBoard, 'active' | 'begin' | 'heal'>;
