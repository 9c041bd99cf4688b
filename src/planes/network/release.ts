import type { Prefix } from '../../model/address.ts';

/** Lets go of blackholes only when they have been surplus for a while without a break. Pure: time comes with every call. */
export class ReleaseQueue {
  readonly #waitMs: number;
  #sinceMs = new Map<string, number>();

  constructor(waitMs: number) {
    this.#waitMs = waitMs;
  }

  /** Those of `surplus` that were in every call for the waiting time. */
  due(surplus: readonly Prefix[], nowMs: number): readonly Prefix[] {
    this.#sinceMs = new Map(surplus.map(({ text }) => [text, this.#sinceMs.get(text) ?? nowMs]));
    return surplus.filter(({ text }) => (this.#sinceMs.get(text) ?? nowMs) + this.#waitMs <= nowMs);
  }

  /** In how many ms the next one is due; Infinity when none waits. */
  nextMs(nowMs: number): number {
    const waits = [...this.#sinceMs.values()].map((since) => since + this.#waitMs - nowMs);
    return Math.min(...waits.filter((wait) => wait > 0));
  }
}
