import type { Log } from '../../runtime/log.ts';

/** The parts that an agent has started so far, each with the function that stops it. */
export class Started {
  readonly #log: Log;
  readonly #parts: { readonly part: string; readonly stop: () => Promise<void> }[] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  add(part: string, stop: () => Promise<void>): void {
    this.#parts.push({ part, stop });
  }

  /**
   * Stops the parts one after the other, the last one first. When a part cannot be stopped, this logs the error, stops the other
   * parts all the same, and then rejects with the first such error.
   */
  async stop(): Promise<void> {
    const errors: unknown[] = [];
    for (const { part, stop } of this.#parts.splice(0).toReversed()) {
      try {
        await stop();
      } catch (error) {
        this.#log.error({ part, err: error }, 'a part of the agent could not be stopped');
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}
