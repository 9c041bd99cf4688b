import type { DoubtPart } from '../model/status.ts';
import type { Kind, ObjectByKind } from './kinds.ts';
import type { ObjectKey } from './objects/metadata.ts';

/** An immutable snapshot of a cluster: its objects by kind and key. It is never partial: it exists only after a full sync. */
export interface ClusterState {
  /** Grows by one with every published snapshot of one source. It has no meaning across sources. */
  readonly revision: number;
  readonly objects: { readonly [K in Kind]: ReadonlyMap<ObjectKey, ObjectByKind[K]> };
  /** Absent where the source cannot tell. */
  readonly origin?: Origin;
}

/** Where a state comes from: by this an agent that starts knows its cluster again. */
export interface Origin {
  /** The identity of the cluster: the uid of its namespace `kube-system`. */
  readonly cluster?: string;
  /** The resourceVersion at which each kind is known at least. */
  readonly versions: { readonly [K in Kind]?: string };
  /** When the state was written to disk, in ms since the epoch; only of a state that was read from there. */
  readonly savedAtMs?: number;
  /** Since when objects of the state have been in doubt, in ms since the epoch; absent when none are. */
  readonly doubtSinceMs?: number;
}

/** How far the source can be trusted. A source never becomes `live` on an empty or half-read input. */
export type SourceStatus =
  | { readonly phase: 'syncing'; readonly reason?: string; readonly message?: string }
  | { readonly phase: 'live'; readonly sinceMs: number }
  | { readonly phase: 'stale'; readonly sinceMs: number; readonly reason: StaleReason; readonly message: string };

/** Why the state that a source gives may not be the newest one. */
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
  | 'SourceKindMissing'
  | 'SourceOfOtherCluster';

/** A snapshot and the keys that differ from the one before. The edge uses the keys to take its endpoint fast path. */
export interface ClusterChange {
  readonly state: ClusterState;
  readonly changed: ReadonlyMap<Kind, ReadonlySet<ObjectKey>>;
}

export interface ClusterListener {
  /**
   * Called with a new snapshot; the first call is the first full sync. Lost input never removes an object: while the source is
   * stale, a change may add and modify objects (the readable part of the input proceeds), and removes only those that the input
   * itself reports as deleted (a watch of another kind that still works), never those that are merely missing.
   */
  onChange(change: ClusterChange): void;
  /** Called when the status has changed. A stale status takes nothing of the last good snapshot away. */
  onStatus(status: SourceStatus): void;
}

/**
 * A source of a cluster's objects. Constructors have no effects. `start` returns at once; the listener is called when the first
 * sync is complete. Loss of input is a status, never a change. One conformance suite tests every implementation of this
 * contract.
 */
export interface ClusterSource {
  start(listener: ClusterListener): void;
  status(): SourceStatus;
  /** What the source doubts now, and which acceptances it has obeyed. */
  doubting(): DoubtPart;
  /** Releases every watch. The listener is not called after this resolves. */
  stop(): Promise<void>;
}
