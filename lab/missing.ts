import { type Clock, sleep } from '../src/runtime/clock.ts';

/** Gives what is missing, for people; undefined once nothing is. An error that it throws ends the wait. */
export type Missing = () => string | undefined | Promise<string | undefined>;

export interface Patience {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** The time from one call of `missing` to the next; 100 by default. */
  readonly everyMs?: number;
}

/**
 * Calls `missing` again and again until nothing is missing. Resolves with undefined then, or after `timeoutMs` with what was
 * missing at the last call: the caller decides what follows from that. `missing` is always called at least once.
 */
export async function stillMissing(missing: Missing, patience: Patience): Promise<string | undefined> {
  const { clock, timeoutMs, everyMs = 100 } = patience;
  for (const deadline = clock.monotonic() + timeoutMs; ; await sleep(clock, everyMs)) {
    const word = await missing();
    if (word === undefined || clock.monotonic() > deadline) return word;
  }
}
