import type { Floor } from '../compile/floors.ts';

/** What a target is told to have: its floor, or more while a higher one is given back. */
export interface KeptFloor {
  readonly replicas: number;
  /** When it last changed, in milliseconds since the epoch. */
  readonly changedAtMs: number;
}

export interface Keeping {
  readonly nowMs: number;
  /** Why nothing may fall now; empty where nothing speaks against it. */
  readonly doubts: readonly string[];
  /** By target, what is Ready; absent where that is not known. */
  readonly ready: ReadonlyMap<string, number>;
}

/** So much of a floor is given back at most, and so often: who comes late, or was measured wrongly, is seen before all is gone. */
const share = 0.1;
const everyMs = 5 * 60_000;

/** Floors rise at once and whole; they fall when nothing speaks against it, slowly. A target that is gone has none. */
export function keptFloors(
  before: ReadonlyMap<string, KeptFloor>,
  floors: readonly Floor[],
  { nowMs, doubts, ready }: Keeping,
): ReadonlyMap<string, KeptFloor> {
  return new Map(
    floors.map(({ target, replicas, spec }) => {
      const known = before.get(target) ?? firstOf(doubts.length === 0 ? undefined : ready.get(target), nowMs);
      if (known === undefined || replicas >= known.replicas) return [target, changed(known, replicas, nowMs)];
      // A person who lowers what a target may have means it.
      const bounded = Math.min(known.replicas, spec.replicas.max);
      // A clock that was ahead is not waited for.
      const isDue = Math.abs(nowMs - known.changedAtMs) >= everyMs;
      const next = doubts.length === 0 && isDue ? Math.max(replicas, Math.floor(bounded * (1 - share))) : bounded;
      return [target, changed(known, next, nowMs)];
    }),
  );
}

/** Who was told nothing yet is told to keep what is Ready, while something is doubted. */
function firstOf(ready: number | undefined, nowMs: number): KeptFloor | undefined {
  return ready === undefined ? undefined : { replicas: ready, changedAtMs: nowMs };
}

function changed(known: KeptFloor | undefined, replicas: number, nowMs: number): KeptFloor {
  // A floor that is needed again is as good as new: the wait before it falls begins again only when it moves.
  return known?.replicas === replicas ? known : { replicas, changedAtMs: nowMs };
}
