import type { Kind, ObjectByKind } from './kinds.ts';
import type { ObjectKey } from './objects/metadata.ts';

/** What a cluster is now: an immutable snapshot, objects by kind and key. Never partial: it exists only after a full sync. */
export interface ClusterState {
  /** Grows by one with every published snapshot of one source; no meaning across sources. */
  readonly revision: number;
  readonly objects: { readonly [K in Kind]: ReadonlyMap<ObjectKey, ObjectByKind[K]> };
}

/** How far the source can be trusted. A source never becomes `live` on an empty or half-read input. */
export type SourceStatus =
  | { readonly phase: 'syncing'; readonly reason?: string; readonly message?: string }
  | { readonly phase: 'live'; readonly sinceMs: number }
  | { readonly phase: 'stale'; readonly sinceMs: number; readonly reason: StaleReason; readonly message: string };

/** Why the newest readable state is not the newest state. */
export type StaleReason =
  | 'SourceMissing'
  | 'SourceEmpty'
  | 'SourceUnreadable'
  | 'SourceImplausible'
  | 'SourceUnreachable'
  | 'SourceUnauthorized'
  | 'SourceUntrusted'
  | 'SourceForbidden'
  | 'SourceThrottled'
  | 'SourceKindMissing';

/** The keys that differ from the snapshot before; the edge uses it to take its endpoint fast path. */
export interface ClusterChange {
  readonly state: ClusterState;
  readonly changed: ReadonlyMap<Kind, ReadonlySet<ObjectKey>>;
}

export interface ClusterListener {
  /**
   * A new snapshot; the first call is the first full sync. Never called with a state that lost its input: while stale, a
   * change may add and modify (what is still readable proceeds), and removes only what the input itself says was deleted
   * (a watch of another kind that still works), never what is merely missing.
   */
  onChange(change: ClusterChange): void;
  /** The status changed; while stale nothing of the last good snapshot is taken away. */
  onStatus(status: SourceStatus): void;
}

/**
 * Where a cluster's objects come from. Constructors have no effects. `start` returns at once; the listener hears of
 * the first sync whenever it comes. Loss of input is a status, never a change. One conformance suite holds every
 * implementation to this contract.
 */
export interface ClusterSource {
  start(listener: ClusterListener): void;
  status(): SourceStatus;
  /** Releases every watch; no listener call after it resolves. */
  stop(): Promise<void>;
}
