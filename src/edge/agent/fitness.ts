import type { EdgeReason } from '../reasons.ts';

/** Results of a check in a row until the verdict changes: withdraw fast, but not on one lost packet. */
const rise = 2;
const fall = 2;

/** The verdict over a check that is repeated: `unknown` until it has said the same thing often enough. */
export class Fitness {
  #verdict: 'unknown' | 'fit' | 'unfit' = 'unknown';
  #inRow = 0;
  #reasons: readonly EdgeReason[] = ['NotSynced'];

  /** Takes one result: the reasons against, none when all is well. */
  take(reasons: readonly EdgeReason[]): void {
    const good = reasons.length === 0;
    const agrees = this.#verdict === (good ? 'fit' : 'unfit');
    this.#inRow = agrees ? 0 : this.#inRow + 1;
    if (!good) this.#reasons = reasons;
    if (this.#inRow < (good ? rise : fall)) return;
    this.#verdict = good ? 'fit' : 'unfit';
    this.#inRow = 0;
    if (good) this.#reasons = [];
  }

  get fit(): boolean {
    return this.#verdict === 'fit';
  }

  get known(): boolean {
    return this.#verdict !== 'unknown';
  }

  /** Why it is not fit; empty when it is. */
  get reasons(): readonly EdgeReason[] {
    return this.fit ? [] : this.#reasons;
  }
}
