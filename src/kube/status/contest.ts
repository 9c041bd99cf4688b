import { backoffMs } from '../../runtime/backoff.ts';
import { deepEqual } from '../objects/equal.ts';
import type { ObjectReference } from '../objects/reference.ts';
import type { Outcome } from './outcome.ts';

/** The status that one object should have, and the one that it had when the cluster was last read. */
export interface StatusWish {
  readonly object: ObjectReference;
  /** The status as it should be, with our fields only; undefined takes back what we wrote. */
  readonly wanted: object | undefined;
  /** The same fields as the cluster holds them. */
  readonly held: object | undefined;
  /** True when the cluster says that nobody but us writes it: what another manager owns is left over, and is taken. */
  readonly exclusive?: boolean;
}

const minute = 60_000;
/** The longest pause, and also how long our status must stand before earlier conflicts are forgotten. */
const ceilingMs = 30 * minute;
/** How long the watch may take to bring back what we wrote before it is written again. */
const echo = { firstMs: 30_000, ceilingMs: 128 * minute };
/** The pauses after somebody undid what we wrote. */
const spacing = { firstMs: 2000, ceilingMs };
/** The pauses while another manager owns a field. */
const owned = { firstMs: 5 * minute, ceilingMs };
/** The pauses after a refusal, and those after a failure that is no verdict and may end at any time. */
const refused = { firstMs: minute, ceilingMs: 10 * minute };
const failed = { firstMs: 1000, ceilingMs: minute };
/** How often one status is taken from other managers before it counts as contested: who writes it again and again is alive. */
const mostTakings = 3;

/**
 * The state of one object whose status other writers may want too: what we wrote, whether it stood, and when our next write is
 * due. It is pure: time comes with every call. Another writer is never fought: a manager that owns a field keeps it, unless nobody but us
 * may write it and we have not taken it three times already; and when a writer undoes our status we write it again, ever more slowly.
 */
export class Contest {
  #wish: StatusWish;
  /** When we wrote this wish; undefined when it is not written, or somebody undid it. */
  #wroteMs: number | undefined;
  #echoes = 0;
  #stood = false;
  #notBeforeMs = -Infinity;
  #triedMs = -Infinity;
  #failures = 0;
  #rounds = 0;
  #calmSinceMs = Infinity;
  #owned = false;
  #takings = 0;

  constructor(wish: StatusWish) {
    this.#wish = wish;
  }

  get wish(): StatusWish {
    return this.#wish;
  }

  /** Another manager owns a field of ours. */
  get ownedByOther(): boolean {
    return this.#owned;
  }

  /** What another manager owns may be taken by force. */
  get mayTake(): boolean {
    return this.#wish.exclusive === true && this.#takings < mostTakings;
  }

  /** We took it as often as we may, and another manager owns it again. */
  get contested(): boolean {
    return this.#owned && this.#wish.exclusive === true && this.#takings >= mostTakings;
  }

  /** Replaces the wish by the newest one. Returns true when somebody undid what we wrote. */
  update(wish: StatusWish, nowMs: number): boolean {
    const before = this.#wish;
    this.#wish = wish;
    if (this.#owned && before.exclusive !== true && this.mayTake) this.#notBeforeMs = -Infinity;
    if (!deepEqual(before.wanted, wish.wanted)) {
      this.#startAgain();
      // The failures of the old wish do not delay the new one.
      if (!this.#owned && this.#rounds === 0) this.#notBeforeMs = -Infinity;
    }
    if (stands(wish)) {
      this.#noteStanding(nowMs);
      return false;
    }
    if (nowMs - this.#calmSinceMs > ceilingMs) {
      this.#rounds = 0;
      this.#takings = 0;
    }
    this.#calmSinceMs = Infinity;
    if (deepEqual(before.held, wish.held)) return false;
    // The other manager changed the status, and may have let go of our field.
    if (this.#owned) this.#notBeforeMs = Math.min(this.#notBeforeMs, this.#triedMs + backoffMs(this.#rounds, spacing));
    if (this.#wroteMs === undefined) return false;
    this.#startAgain();
    this.#rounds += 1;
    this.#notBeforeMs = nowMs + backoffMs(this.#rounds, spacing);
    return true;
  }

  /** When the next write is due, on the same clock; Infinity when nothing is to be written. */
  get dueMs(): number {
    if (stands(this.#wish)) return Infinity;
    if (this.#wroteMs === undefined) return this.#notBeforeMs;
    // Without a wanted status ours was taken back, and what stands there belongs to others. Otherwise the status was written,
    // and the watch has not brought it yet.
    const echoMs = this.#wish.wanted === undefined ? Infinity : backoffMs(this.#echoes + 1, echo);
    return Math.max(this.#wroteMs + echoMs, this.#notBeforeMs);
  }

  /** Notes the outcome of a write of `wish` that has just ended. */
  noteOutcome(outcome: Outcome, wish: StatusWish, nowMs: number): void {
    const { result } = outcome;
    this.#triedMs = nowMs;
    if (result === 'written' && outcome.takenFrom !== undefined) this.#takings += 1;
    if (result === 'owned-by-other') this.#owned = true;
    else if (result === 'written' || result === 'gone') this.#owned = false;
    if (result === 'written') {
      this.#failures = 0;
      if (!deepEqual(wish.wanted, this.#wish.wanted)) return;
      if (this.#wroteMs !== undefined && !this.#stood) this.#echoes = Math.min(this.#echoes + 1, 8);
      this.#wroteMs = nowMs;
      this.#stood = stands(this.#wish);
      return;
    }
    if (result === 'owned-by-other') {
      this.#rounds += 1;
      this.#notBeforeMs = nowMs + backoffMs(this.#rounds, owned);
      return;
    }
    this.#failures += 1;
    const mayEnd = result === 'outdated' || result === 'unavailable';
    this.#notBeforeMs = nowMs + backoffMs(this.#failures, mayEnd ? failed : refused);
  }

  #noteStanding(nowMs: number): void {
    this.#owned = false;
    this.#echoes = 0;
    this.#stood = true;
    this.#calmSinceMs = Math.min(this.#calmSinceMs, nowMs);
  }

  #startAgain(): void {
    this.#wroteMs = undefined;
    this.#echoes = 0;
    this.#stood = false;
    this.#failures = 0;
  }
}

function stands({ wanted, held }: StatusWish): boolean {
  return wanted === undefined ? held === undefined : deepEqual(held, wanted);
}
