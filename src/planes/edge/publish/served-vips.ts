/** A VIP leaves the list when for this long no blade is known to announce it. */
const forgetAfterMs = 60_000;

/**
 * Keeps the VIPs at which requests are taken: those that a blade announces, because an address that nobody announces
 * leads nowhere. A VIP leaves only after a minute without an announcer, and only while another one of its pool is
 * announced: when none is known to be announced, it is more likely that this blade knows too little.
 */
export class ServedVips {
  readonly #seenMs = new Map<string, number>();

  /**
   * Takes what is announced now, and returns the VIPs that are served, in the order of `vips`; undefined while too
   * little is known.
   */
  update(vips: readonly string[], announced: ReadonlySet<string>, nowMs: number): readonly string[] | undefined {
    for (const vip of this.#seenMs.keys()) if (!vips.includes(vip)) this.#seenMs.delete(vip);
    for (const vip of vips) {
      // A VIP that was never seen has its minute from the first call on.
      if (announced.has(vip) || !this.#seenMs.has(vip)) this.#seenMs.set(vip, nowMs);
    }
    if (!vips.some((vip) => announced.has(vip))) return undefined;
    return vips.filter((vip) => nowMs - (this.#seenMs.get(vip) ?? 0) < forgetAfterMs);
  }
}
