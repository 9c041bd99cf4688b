import type { Kind } from '../kinds.ts';

/** Times in milliseconds, unless stated otherwise. */
export interface SourceTiming {
  /** The number of objects on a page of a list. Default 500. */
  readonly pageSize: number;
  /** A snapshot waits this long for further changes, and never longer than `ceilingMs`. Defaults 5 and 25. */
  readonly debounceMs: number;
  readonly ceilingMs: number;
  /** A watch is asked to last this many seconds, up to twice as many. Default 300; Secrets have their own limit. */
  readonly watchSeconds: number;
  /** A watch that brings nothing at all is closed and resumed. Default 90,000: bookmarks come about every minute. */
  readonly idleMs: number;
  /** A watch that has been open for this long counts as working. Default 1,000. */
  readonly steadyMs: number;
  /** A failure that lasts this long makes the source stale; a shorter one is only a reconnect. Default 5,000. */
  readonly staleAfterMs: number;
  /** The limit until the headers of an answer are there. Default 30,000; a page of a list may take twice as long in all. */
  readonly requestMs: number;
  /**
   * The longest wait after the first failure; it doubles with each further failure, up to the ceiling. Defaults 500 and
   * 15,000.
   */
  readonly backoffFirstMs: number;
  readonly backoffCeilingMs: number;
  /** How often a kind that the server does not have is looked for. Default 30,000. */
  readonly missingMs: number;
  /**
   * How often a kind in doubt is listed again at first, and how long a doubt must last before it is believed. Defaults
   * 5,000 and 10,000.
   */
  readonly lookAgainMs: number;
  readonly confirmMs: number;
  /** How often, at least, it is made sure that new connections lead to the same cluster. Default 30,000. */
  readonly identityMs: number;
}

/** A running watch is not authorised again: an agent whose rights were taken away hears of new Secrets for this long, up to twice. */
const secretWatchSeconds = 60;

/** How long a watch of this kind is asked to last. */
export function watchSecondsOf(kind: Kind, { watchSeconds }: SourceTiming): number {
  return kind === 'Secret' ? Math.min(watchSeconds, secretWatchSeconds) : watchSeconds;
}

export const defaultTiming: SourceTiming = {
  pageSize: 500,
  debounceMs: 5,
  ceilingMs: 25,
  watchSeconds: 300,
  idleMs: 90_000,
  steadyMs: 1000,
  staleAfterMs: 5000,
  requestMs: 30_000,
  backoffFirstMs: 500,
  backoffCeilingMs: 15_000,
  missingMs: 30_000,
  lookAgainMs: 5000,
  confirmMs: 10_000,
  identityMs: 30_000,
};
