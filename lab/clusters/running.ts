import type { ServedCluster } from '../world/servers.ts';
import type { LabPod } from './objects.ts';

/**
 * What runs one data centre's cluster: a manifest folder that the lab writes, or real control planes. Scenario, faults and
 * views see no more of a cluster than this.
 */
export interface RunningCluster extends ServedCluster {
  /** As the cluster says now. */
  readonly pods: readonly LabPod[];
  readonly blocks: readonly ClusterBlock[];
  /** Starts it with this many pods on each worker; resolves when they answer and are endpoints. */
  start(podsPerWorker: number): Promise<void>;
  /** More pods, evenly on its workers; resolves with them when they answer and are endpoints. */
  scaleUp(count: number): Promise<readonly LabPod[]>;
  /** The node claims a further block, from which its next pods get addresses. Resolves with its prefix. */
  claimBlock(node: string): Promise<string>;
  /** The node's machine has lost its power: resolves when the cluster has noticed. */
  nodeLost(node: string): Promise<void>;
  /** The node's machine runs again, and is reachable. */
  nodeBack(node: string): Promise<void>;
  /** How its input can be lost, and what every agent must say then. */
  readonly inputLosses: readonly InputLoss[];
  loseInput(mode: string): Promise<void>;
  mendInput(): Promise<void>;
  /** Absent where a folder plays the control plane. */
  readonly control?: ClusterControl;
  /** Ends what it started beside the supervisor. Never rejects. */
  stop(): Promise<void>;
}

export interface ClusterBlock {
  readonly cidr: string;
  readonly node: string;
}

export interface InputLoss {
  readonly mode: string;
  /** What this does to the cluster, for people: `The manifests of paris are empty`. */
  readonly what: string;
  /** How the agents' source status begins: phase and reason. */
  readonly says: string;
}

export type ComponentState = 'running' | 'frozen' | 'stopped';

/** The control plane of a cluster, as faults and views see it. */
export interface ClusterControl {
  /** The machine it runs on. */
  readonly server: string;
  readonly components: readonly { readonly name: string; readonly state: ComponentState }[];
  /** SIGKILL, and down until `mend`. */
  kill(components: readonly string[]): Promise<void>;
  /** SIGSTOP: connections stay half open until `mend`. */
  freeze(components: readonly string[]): Promise<void>;
  /** Everything runs and answers again. */
  mend(): Promise<void>;
}
