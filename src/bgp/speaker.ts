import type { Prefix } from '../model/address.ts';
import type { Refusal } from '../model/problem.ts';
import type { Reason } from './reasons.ts';
import type { Route } from './route.ts';

/** A route that was not announced (or not withdrawn) although the caller asked for it. */
export interface RouteRefusal extends Refusal<Reason> {
  readonly prefix: string;
  readonly action: 'announce' | 'withdraw';
}

export interface NeighborStatus {
  readonly address: string;
  readonly asn: number;
  readonly up: boolean;
  /**
   * Since when the session is up, or down, in ms since the epoch: further attempts do not move it. Absent before the first
   * event.
   */
  readonly changedAtMs?: number;
  /** Why the session is down, as ExaBGP says it of the end and of the last attempt; or the reason why nothing is known of it. */
  readonly reason?: string;
}

/** A time in which the routes yielded to other announcers, because no agent looked after them; ms since the epoch. */
export interface YieldPeriod {
  readonly sinceMs: number;
  /** True when the agent in charge asked for it, because it could not read its cluster. */
  readonly asked?: true;
  /** Absent while it lasts. */
  readonly untilMs?: number;
}

export interface SpeakerStatus {
  /**
   * How far the chain agent – relay – ExaBGP answers. `disconnected`: no relay on the socket (ExaBGP is down or not started);
   * the speaker tries again for ever. `silent`: the relay is connected and hangs. `exabgpSilent`: the relay lives and
   * ExaBGP hangs.
   */
  readonly relay: 'disconnected' | 'silent' | 'exabgpSilent' | 'syncing' | 'synced';
  readonly neighbors: readonly NeighborStatus[];
  /** What ExaBGP holds, as acknowledged and read back, sorted by prefix. */
  readonly announced: readonly Route[];
  readonly refusals: readonly RouteRefusal[];
  /** The routes of ExaBGP's own configuration, where it has any: the address of the server as it was rendered. Sorted. */
  readonly fixed?: readonly Prefix[];
  /** The last time since the relay started that the routes yielded. */
  readonly yielded?: YieldPeriod;
}

export interface DesiredOptions {
  /** True when a large withdrawal is meant (a drain, a planned stop): neither the mass-withdrawal guard nor the limit of the minute delays it. */
  readonly confirmed?: boolean;
  /** Prefixes, as text, whose withdrawal is proven, because another server has them: they never wait as part of a mass. */
  readonly disproved?: ReadonlySet<string>;
}

/**
 * The driver of one server's ExaBGP through its relay. Level-triggered: the caller sets the whole desired set again and
 * again, the speaker converges to it, through guardrails, and announces it anew on every session up.
 */
export interface Speaker {
  start(): void;
  /**
   * Sets the whole set of routes to announce. Before the first call nothing is announced or withdrawn, and no end-of-RIB is
   * sent.
   */
  setDesired(routes: readonly Route[], options?: DesiredOptions): void;
  /**
   * Whether the routes of pods and servers yield to other announcers, because the caller does not know what is right. Nothing is
   * withdrawn for that. Before the first desired set it changes nothing.
   */
  setYields(yields: boolean): void;
  /** Judges the set again, because the limits of the server have changed. */
  reconsider(): void;
  status(): SpeakerStatus;
  /** Calls `listener` after every change of status; returns the unsubscribe function. */
  onStatus(listener: (status: SpeakerStatus) => void): () => void;
  /** Resolves when ExaBGP has acknowledged exactly the desired set (refusals aside), rejects after `timeoutMs`. */
  settled(timeoutMs: number): Promise<void>;
  /** Disconnects from the relay and leaves every route as it is (fail static). A planned stop sets an empty set first. */
  stop(): Promise<void>;
}
