import type { LeaseTerms } from '../wire.ts';

/** An agent that was started has this many leases to take charge: it loads modules, spec, cluster and nginx, and probes twice. */
const leasesToStart = 2;

/**
 * How long VIPs outlive their agent. A new lease starts when the relay starts, so that a relay that was itself restarted
 * gives the agent the whole time to come back. Keepers' leases never run out: they hold their VIPs (last announcers).
 */
export class Lease {
  #terms: LeaseTerms;
  #untilMs: number;
  #startGiven = false;

  constructor(terms: LeaseTerms, nowMs: number) {
    this.#terms = terms;
    this.#untilMs = nowMs + terms.seconds * 1000;
  }

  renew(nowMs: number, terms: LeaseTerms = this.#terms): void {
    this.#terms = terms;
    this.#untilMs = nowMs + terms.seconds * 1000;
    this.#startGiven = false;
  }

  /**
   * Prolongs the lease for an agent that starts. This happens once until an agent renews, so that an agent that dies at every
   * start does not hold a VIP; a lease that ran out stays expired.
   */
  giveTimeToStart(nowMs: number): void {
    if (this.#startGiven || this.expired(nowMs)) return;
    this.#startGiven = true;
    this.#untilMs = nowMs + leasesToStart * this.#terms.seconds * 1000;
  }

  expired(nowMs: number): boolean {
    return this.remainingMs(nowMs) === 0;
  }

  /** How long the lease still runs; infinity for a keeper. */
  remainingMs(nowMs: number): number {
    return this.#terms.keeper ? Number.POSITIVE_INFINITY : Math.max(0, this.#untilMs - nowMs);
  }
}
