import type { LeaseTerms } from '../wire.ts';

/**
 * How long VIPs outlive their agent. A new lease starts when the relay starts, so that a relay that was itself restarted
 * gives the agent the whole time to come back. Keepers' leases never run out: they hold their VIPs (last announcers).
 */
export class Lease {
  #terms: LeaseTerms;
  #heardAtMs: number;

  constructor(terms: LeaseTerms, nowMs: number) {
    this.#terms = terms;
    this.#heardAtMs = nowMs;
  }

  renew(nowMs: number, terms: LeaseTerms = this.#terms): void {
    this.#terms = terms;
    this.#heardAtMs = nowMs;
  }

  expired(nowMs: number): boolean {
    return this.remainingMs(nowMs) === 0;
  }

  /** Infinity for a keeper. */
  remainingMs(nowMs: number): number {
    if (this.#terms.keeper) return Number.POSITIVE_INFINITY;
    return Math.max(0, this.#heardAtMs + this.#terms.seconds * 1000 - nowMs);
  }
}
