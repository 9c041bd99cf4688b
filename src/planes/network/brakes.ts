import type { Brake } from './plan.ts';

/**
 * Counts how long each brake has held without a break. It has no clock: the time comes with every call. A restart of the agent
 * begins anew, which only makes a withdrawal wait longer.
 */
export class Brakes {
  readonly #waitMs: number;
  #sinceMs = new Map<string, number>();
  #nextAtMs = Infinity;

  constructor(waitMs: number) {
    this.#waitMs = waitMs;
  }

  /** Takes note of the brakes that there are now; a cause that is not among them begins anew when it comes back. */
  meet(brakes: readonly Brake[], nowMs: number): void {
    this.#sinceMs = new Map(brakes.map(({ cause }) => [cause, this.#sinceMs.get(cause) ?? nowMs]));
    this.#nextAtMs = Math.min(...[...this.#sinceMs.values()].map((at) => at + this.#waitMs).filter((at) => at > nowMs));
  }

  /** The causes whose brake has held long enough. */
  over(nowMs: number): ReadonlySet<string> {
    return new Set([...this.#sinceMs].filter(([, at]) => at + this.#waitMs <= nowMs).map(([cause]) => cause));
  }

  /** When the next brake is over; Infinity when none holds. */
  get nextAtMs(): number {
    return this.#nextAtMs;
  }
}
