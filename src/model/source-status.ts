/** Which platform spec is in force: `invalid` means the last good one, and `message` says what is wrong with the newest. */
export interface PlatformView {
  readonly phase: 'current' | 'invalid';
  readonly reason?: string;
  readonly message?: string;
  /** The digest of the spec in force: agents with the same one obey the same spec. */
  readonly digest?: string;
  /** The APIs that are a source of the spec beside the folder; absent when none is. */
  readonly apis?: readonly SpecApiView[];
  /** Objects that are not in force as they stand in an API or in the folder: a hundred at most. */
  readonly notInForce?: readonly SpecObjectView[];
}

/** How far the picture of the spec in an API can be trusted: while it is `stale` what it said last is in force. */
export interface SpecApiView extends SourceView {
  /** `API of cluster paris`. */
  readonly place: string;
  readonly objects: number;
}

/** An object that is refused, or of which another version is in force (`held`). */
export interface SpecObjectView {
  readonly place: string;
  /** `Kind/name`. */
  readonly object: string;
  readonly state: string;
  readonly reason: string;
  readonly message: string;
}

/** How far the agent's picture of its cluster can be trusted: while `stale` the last good one is in force. */
export interface SourceView {
  readonly phase: 'syncing' | 'live' | 'stale';
  /** When the source became live, or, while stale, when it was last current; in milliseconds since the epoch. */
  readonly sinceMs?: number;
  readonly reason?: string;
  readonly message?: string;
}

/** The place of an object in the API of this cluster, for people. */
export function placeOfApi(cluster: string): string {
  return `API of cluster ${cluster}`;
}
