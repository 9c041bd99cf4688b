import type { Clock, Timer } from '../runtime/clock.ts';

/** How often an agent in charge has the relay read back what ExaBGP holds, which is also its sign of life. */
export const readEveryMs = 30_000;

/** An agent that wrote nothing for this time looks after nothing any more: far longer than a restart takes. */
export const unattendedAfterMs = 3 * readEveryMs;

/** How often the relay says that it lives, and how often its agent looks whether it was heard. */
const beatMs = 1000;

/**
 * Calls `beat` every second until the returned function is called. A beat that is late by more than its interval is left out:
 * this process was stopped or starved itself, and what the others wrote meanwhile is still to be read.
 */
export function startHeartbeat(clock: Clock, beat: () => void): () => void {
  let timer: Timer;
  const wait = (): void => {
    const dueMs = clock.monotonic() + beatMs;
    timer = clock.setTimeout(() => {
      const lateMs = clock.monotonic() - dueMs;
      wait();
      if (lateMs <= beatMs) beat();
    }, beatMs);
  };
  wait();
  return () => timer.cancel();
}
