import type { Prefix } from '../../model/address.ts';

/**
 * Releases a blackhole only when it has been surplus for a while without a break. It has no clock: the time comes with
 * every call.
 */
export class ReleaseQueue {
  readonly #waitMs: number;
  #sinceMs = new Map<string, number>();
  #nextAtMs = Infinity;

  constructor(waitMs: number) {
    this.#waitMs = waitMs;
  }

  /** The prefixes of `surplus` that were in every call for the waiting time. */
  due(surplus: readonly Prefix[], nowMs: number): readonly Prefix[] {
    this.#sinceMs = new Map(surplus.map(({ text }) => [text, this.#sinceMs.get(text) ?? nowMs]));
    const dueAt = ({ text }: Prefix): number => (this.#sinceMs.get(text) ?? nowMs) + this.#waitMs;
    this.#nextAtMs = Math.min(...surplus.map(dueAt).filter((atMs) => atMs > nowMs));
    return surplus.filter((prefix) => dueAt(prefix) <= nowMs);
  }

  /** The time at which the next prefix that the last call let wait is due; Infinity when none waits. It may have passed. */
  get nextAtMs(): number {
    return this.#nextAtMs;
  }
}
