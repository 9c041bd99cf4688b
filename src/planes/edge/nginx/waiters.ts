import type { Settlement, Subject } from './convergence.ts';

interface Waiter {
  readonly version: number;
  readonly resolve: (generation: number) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The promises that callers of the driver hold. A caller waits for a version of its subject; a settlement answers every
 * caller that waits for the version that nginx holds or refused, or for an older one. Versions of a subject only grow.
 */
export class Waiters {
  readonly #waiting = new Map<Subject, Waiter[]>();
  #ended: Error | undefined;

  /** Resolves with the generation of nginx that holds this version or a newer one; rejects when nginx refuses it. */
  wait(of: Subject, version: number): Promise<number> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const waiting = this.#waiting.get(of) ?? [];
    waiting.push({ version, resolve, reject });
    this.#waiting.set(of, waiting);
    return promise;
  }

  settle(settlement: Settlement): void {
    const waiting = this.#waiting.get(settlement.of) ?? [];
    const later = waiting.findIndex(({ version }) => version > settlement.upTo);
    for (const waiter of waiting.splice(0, later === -1 ? waiting.length : later)) {
      if ('error' in settlement) waiter.reject(settlement.error);
      else waiter.resolve(settlement.generation);
    }
  }

  /** Rejects every caller that waits, and every one that comes later. */
  end(error: Error): void {
    this.#ended = error;
    for (const subject of this.#waiting.keys()) this.settle({ of: subject, upTo: Infinity, error });
  }
}
