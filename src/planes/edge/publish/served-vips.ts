/** How long nobody must be known to announce a VIP before it is no address any more. */
const forgetAfterMs = 60_000;

/**
 * Which VIPs are addresses at which requests are taken: those that a blade announces, for an address that nobody
 * announces leads nowhere. A VIP leaves only after a minute without an announcer, and only while another one of its pool
 * is announced: when none is known to be, it is more likely that we know too little.
 */
export class ServedVips {
  readonly #seenMs = new Map<string, number>();

  /** Sorted as given; undefined while it is not known well enough to say anything. */
  look(vips: readonly string[], announced: ReadonlySet<string>, nowMs: number): readonly string[] | undefined {
    for (const vip of this.#seenMs.keys()) if (!vips.includes(vip)) this.#seenMs.delete(vip);
    for (const vip of vips) {
      // One that was never seen has its minute from the first look on.
      if (announced.has(vip) || !this.#seenMs.has(vip)) this.#seenMs.set(vip, nowMs);
    }
    if (!vips.some((vip) => announced.has(vip))) return undefined;
    return vips.filter((vip) => nowMs - (this.#seenMs.get(vip) ?? 0) < forgetAfterMs);
  }
}
