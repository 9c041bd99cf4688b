import { type Clock, sleep } from '../src/runtime/clock.ts';

/** Says what is missing, for people; undefined once nothing is. What it throws ends the wait. */
export type Missing = () => string | undefined | Promise<string | undefined>;

export interface Patience {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** From one look to the next; 100 by default. */
  readonly everyMs?: number;
}

/**
 * Looks again and again until nothing is missing. Resolves with undefined then, or after `timeoutMs` with what was missing at
 * the last look: the caller says what follows from that. There is always at least one look.
 */
export async function stillMissing(missing: Missing, patience: Patience): Promise<string | undefined> {
  const { clock, timeoutMs, everyMs = 100 } = patience;
  for (const deadline = clock.monotonic() + timeoutMs; ; await sleep(clock, everyMs)) {
    const word = await missing();
    if (word === undefined || clock.monotonic() > deadline) return word;
  }
}
