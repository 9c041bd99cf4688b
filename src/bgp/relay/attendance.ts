import type { YieldPeriod } from '../speaker.ts';

/** While it lasts, it is said again after this time, so that it is found in a journal of which only the end is kept. */
const sayAgainMs = 600_000;

/**
 * Whether an agent looks after the routes of this server. One that is in charge writes something every 30 s at least; when it was
 * not heard for the limit, the routes yield. Times are handed in: `nowMs` is monotonic, `dateMs` is for people.
 */
export class Attendance {
  readonly #limitMs: number;
  #heardMs: number;
  #saidMs = Number.NEGATIVE_INFINITY;
  #period: YieldPeriod | undefined;

  constructor(limitMs: number, nowMs: number) {
    this.#limitMs = limitMs;
    this.#heardMs = nowMs;
  }

  /** True from the end of the limit until the agent is heard. */
  get yields(): boolean {
    return this.#period !== undefined && this.#period.untilMs === undefined;
  }

  /** The last time that the routes yielded, or yield now. */
  get period(): YieldPeriod | undefined {
    return this.#period;
  }

  /**
   * The agent in charge has written something; `asks` while it wants the routes to yield. Returns true when that begins or ends the
   * yielding.
   */
  heard(nowMs: number, dateMs: number, asks = false): boolean {
    this.#heardMs = nowMs;
    if (asks) {
      const begins = !this.yields;
      if (begins || this.#period === undefined) this.#period = { sinceMs: dateMs, asked: true };
      return begins;
    }
    if (this.#period === undefined || !this.yields) return false;
    this.#period = { ...this.#period, untilMs: dateMs };
    this.#saidMs = Number.NEGATIVE_INFINITY;
    return true;
  }

  /** Looks at the clock. Returns true when it is to be said that the routes yield. */
  look(nowMs: number, dateMs: number): boolean {
    if (!this.yields && nowMs - this.#heardMs >= this.#limitMs) this.#period = { sinceMs: dateMs };
    if (!this.yields || nowMs - this.#saidMs < sayAgainMs) return false;
    this.#saidMs = nowMs;
    return true;
  }

  /** What is read back yields already, because the relay before this one had heard no agent either. */
  resume(dateMs: number): void {
    if (!this.yields) this.#period = { sinceMs: dateMs };
  }
}
