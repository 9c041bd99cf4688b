import type { EdgeReason } from '../reasons.ts';

/** Results of a check in a row until the verdict changes: withdraw fast, but not on one lost packet. */
const rise = 2;
const fall = 2;

/** The verdict over a check that is repeated: unfit until it was good often enough in a row. */
export class Fitness {
  #fit = false;
  #last: 'good' | 'bad' | undefined;
  #inRow = 0;
  #reasons: readonly EdgeReason[] = ['NotSynced'];

  /** Takes one result: the reasons against, none when all is well. */
  take(reasons: readonly EdgeReason[]): void {
    const good = reasons.length === 0;
    const result = good ? 'good' : 'bad';
    this.#inRow = result === this.#last ? this.#inRow + 1 : 1;
    this.#last = result;
    if (!good) this.#reasons = reasons;
    if (this.#inRow >= (good ? rise : fall)) this.#fit = good;
  }

  get fit(): boolean {
    return this.#fit;
  }

  /** Why it is not fit; empty when it is. */
  get reasons(): readonly EdgeReason[] {
    return this.fit ? [] : this.#reasons;
  }
}
