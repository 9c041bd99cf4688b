import type { ServedCluster } from '../world/servers.ts';
import type { LabPod } from './objects.ts';

/**
 * What runs one data centre's cluster: a manifest folder that the lab writes, or real control planes. Scenario, faults and
 * views see no more of a cluster than this.
 */
export interface RunningCluster extends ServedCluster {
  /** The pods that the cluster reports now. */
  readonly pods: readonly LabPod[];
  readonly blocks: readonly ClusterBlock[];
  /** Starts the cluster with this many pods on each worker; resolves when they answer and are endpoints. */
  start(podsPerWorker: number): Promise<void>;
  /** Adds `count` pods, evenly on its workers; resolves with them when they answer and are endpoints. */
  scaleUp(count: number): Promise<readonly LabPod[]>;
  /** The node claims a further block, from which its next pods get addresses. Resolves with its prefix. */
  claimBlock(node: string): Promise<string>;
  /** Must be called when the node's machine has lost its power; resolves when the cluster has noticed. */
  nodeLost(node: string): Promise<void>;
  /** Must be called when the node's machine runs again and is reachable. */
  nodeBack(node: string): Promise<void>;
  /** The ways in which the agents' input can be lost, each with what every agent must report then. */
  readonly inputLosses: readonly InputLoss[];
  loseInput(mode: string): Promise<void>;
  mendInput(): Promise<void>;
  /** The control plane; absent where a folder plays it. */
  readonly control?: ClusterControl;
  /** Ends what the cluster started itself and the supervisor does not know. Never rejects. */
  stop(): Promise<void>;
}

export interface ClusterBlock {
  readonly cidr: string;
  readonly node: string;
}

export interface InputLoss {
  readonly mode: string;
  /** The effect of this loss on the cluster, for people: `The manifests of paris are empty`. */
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
  /** Kills the components with SIGKILL and keeps them down until `mend`. */
  kill(components: readonly string[]): Promise<void>;
  /** Stops the components with SIGSTOP: connections stay half open until `mend`. */
  freeze(components: readonly string[]): Promise<void>;
  /** Starts the stopped components again and continues the frozen ones; resolves when those it started are ready. */
  mend(): Promise<void>;
}
