import type { Platform } from '../../src/model/spec/platform.ts';
import type { RunningCluster } from '../clusters/running.ts';
import type { FaultBoard } from '../faults/board.ts';
import type { ViewPort } from '../observe/port.ts';
import type { Supervisor } from '../supervise.ts';

/** What the scenario needs of a running lab, beside what views need; a `Lab` satisfies it. */
export interface DemoPort extends ViewPort {
  /** The spec that runs; the steps read from it what the policies promise. */
  readonly platform: Platform;
  readonly clusters: ReadonlyMap<string, DemoCluster>;
  readonly supervisor: Pick<Supervisor, 'status' | 'hold' | 'release'>;
  /** Holds a folder for each server, with the sockets of its programs. */
  readonly runFolder: string;
  /** True when clusters have real control planes: some steps are played on these alone. */
  readonly hasControlPlanes: boolean;
}

export type DemoCluster = Pick<
  RunningCluster,
  'datacentre' | 'pods' | 'blocks' | 'control' | 'inputLosses' | 'scaleUp' | 'claimBlock'
>;

/** The part of a `FaultBoard` that begins and heals faults and lists those in force. */
export type Faults = Pick<FaultBoard, 'active' | 'begin' | 'heal'>;
