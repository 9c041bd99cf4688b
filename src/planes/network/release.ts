import type { Prefix } from '../../model/address.ts';

/** Lets go of blackholes only when they have been surplus for a while without a break. Pure: time comes with every call. */
export class ReleaseQueue {
  readonly #waitMs: number;
  #sinceMs = new Map<string, number>();
  #nextAtMs = Infinity;

  constructor(waitMs: number) {
    this.#waitMs = waitMs;
  }

  /** Those of `surplus` that were in every call for the waiting time. */
  due(surplus: readonly Prefix[], nowMs: number): readonly Prefix[] {
    this.#sinceMs = new Map(surplus.map(({ text }) => [text, this.#sinceMs.get(text) ?? nowMs]));
    const dueAt = ({ text }: Prefix): number => (this.#sinceMs.get(text) ?? nowMs) + this.#waitMs;
    this.#nextAtMs = Math.min(...surplus.map(dueAt).filter((atMs) => atMs > nowMs));
    return surplus.filter((prefix) => dueAt(prefix) <= nowMs);
  }

  /** When the next one of those that the last call let wait is due; Infinity when none waits. It may lie in the past by now. */
  get nextAtMs(): number {
    return this.#nextAtMs;
  }
}
