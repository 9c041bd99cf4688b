const slices = 8;

/**
 * Ends a wait after a time in which this program could have read an answer. A timer alone fires first when the thread was busy or
 * stopped, although the answer waits in the kernel: Node runs timers before it reads sockets. So the time is counted in
 * slices, between which sockets are read, and a stall of whatever length counts as one slice.
 */
export class Deadline {
  readonly #sliceMs: number;
  readonly #expired: () => void;
  #left = slices;
  #timer: NodeJS.Timeout;

  constructor(ms: number, expired: () => void) {
    this.#sliceMs = ms / slices;
    this.#expired = expired;
    this.#timer = setTimeout(() => this.#turn(), this.#sliceMs);
  }

  /** Counts from now again. */
  renew(): void {
    this.#left = slices;
  }

  cancel(): void {
    clearTimeout(this.#timer);
  }

  #turn(): void {
    this.#left -= 1;
    if (this.#left > 0) this.#timer = setTimeout(() => this.#turn(), this.#sliceMs);
    else this.#expired();
  }
}
