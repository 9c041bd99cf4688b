import type { Refusal } from '../model/problem.ts';
import type { Reason } from './reasons.ts';
import type { Route } from './route.ts';

/** A route that was not announced (or not withdrawn) although asked for. */
export interface RouteRefusal extends Refusal<Reason> {
  readonly prefix: string;
  readonly action: 'announce' | 'withdraw';
}

export interface NeighborStatus {
  readonly address: string;
  readonly asn: number;
  readonly up: boolean;
  /** ms since the epoch of the last change; absent before the first event. */
  readonly changedAtMs?: number;
}

export interface SpeakerStatus {
  /** `disconnected`: no relay on the socket (ExaBGP down or not started); retried for ever. */
  readonly relay: 'disconnected' | 'syncing' | 'synced';
  readonly neighbors: readonly NeighborStatus[];
  /** What ExaBGP holds, as acknowledged and read back, sorted by prefix. */
  readonly announced: readonly Route[];
  readonly refusals: readonly RouteRefusal[];
}

export interface DesiredOptions {
  /** A large withdrawal is meant (a drain, a planned stop) and does not wait out the mass-withdrawal guard. */
  readonly confirmed?: boolean;
}

/**
 * The driver of one server's ExaBGP through its relay. Level-triggered: the caller sets the whole desired set again and
 * again, the speaker converges to it, through guardrails, and announces it anew on every session up.
 */
export interface Speaker {
  start(): void;
  /** The whole set we want. Before the first call nothing is announced, withdrawn or ended (no end-of-RIB). */
  setDesired(routes: readonly Route[], options?: DesiredOptions): void;
  status(): SpeakerStatus;
  /** Called after every change of status; returns the unsubscribe function. */
  onStatus(listener: (status: SpeakerStatus) => void): () => void;
  /** Resolves when ExaBGP has acknowledged exactly the desired set (refusals aside), rejects after `timeoutMs`. */
  settled(timeoutMs: number): Promise<void>;
  /** Lets go of the relay and leaves every route as it is (fail static). A planned stop sets an empty set first. */
  stop(): Promise<void>;
}
