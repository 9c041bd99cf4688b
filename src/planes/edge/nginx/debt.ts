/** How much of the time between two looks counts: whoever looks less often was not able to read an answer of nginx either. */
const mostBetweenLooksMs = 500;

/**
 * For how long nginx has owed the answer to a change. Only time counts in which this agent looked: while its own thread is
 * busy with what tenants wrote, or stopped, an answer of nginx waits unread.
 */
export class Debt {
  #standing: { readonly ageMs: number; readonly lookedMs: number } | undefined;

  /** A change was sent; one that nginx did not answer may have been sent before. */
  owes(nowMs: number): void {
    this.#standing ??= { ageMs: 0, lookedMs: nowMs };
  }

  /** nginx took a part of the change, and owes the rest. */
  takes(nowMs: number): void {
    if (this.#standing !== undefined) this.#standing = { ageMs: 0, lookedMs: nowMs };
  }

  /** nginx owes nothing: it took the change or refused it, or nothing is left to send. */
  ends(): void {
    this.#standing = undefined;
  }

  /** How long the debt has stood, 0 for none. To be called several times a second. */
  ageMs(nowMs: number): number {
    if (this.#standing === undefined) return 0;
    const { ageMs, lookedMs } = this.#standing;
    const older = ageMs + Math.min(nowMs - lookedMs, mostBetweenLooksMs);
    this.#standing = { ageMs: older, lookedMs: nowMs };
    return older;
  }
}
