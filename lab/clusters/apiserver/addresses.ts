import type { ClusterBlock } from '../running.ts';

/** Gives pods their addresses out of the blocks of their nodes. */
export interface Addresses {
  /** Gives the pod an address; a pod that has one already gets the same again. */
  assign(pod: PodName): Promise<string>;
  /** Frees the pod's address, if it has one. */
  release(pod: Omit<PodName, 'node'>): Promise<void>;
  /** Uses up what the node's blocks have left, and claims a further block for it. Resolves with its prefix. */
  claimBlock(node: string): Promise<string>;
  blocks(): Promise<readonly ClusterBlock[]>;
  stop(): Promise<void>;
}

export interface PodName {
  readonly namespace: string;
  readonly pod: string;
  readonly node: string;
}
