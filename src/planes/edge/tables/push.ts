import { messageOf } from '../../../model/values.ts';
import type { Log } from '../../../runtime/log.ts';

export interface PushOptions<T> {
  readonly what: string;
  readonly send: (value: T) => Promise<void>;
  /** Identifies the start of the receiver, which forgets everything when it starts anew; undefined while it is away. */
  readonly instance: () => string | undefined;
  readonly log: Log;
}

/** Keeps a receiver at a value: sends it when it changed, when the receiver started anew, and again after a failure. */
export class Push<T> {
  readonly #options: PushOptions<T>;
  #value: T | undefined;
  #sent: string | undefined;
  #sending = false;

  constructor(options: PushOptions<T>) {
    this.#options = options;
  }

  get value(): T | undefined {
    return this.#value;
  }

  /** Level-triggered: call it as often as you like. Nothing is sent while the receiver is away. */
  set(value: T): void {
    this.#value = value;
    const { send, instance, log, what } = this.#options;
    const receiver = instance();
    const wanted = JSON.stringify([receiver, value]);
    if (receiver === undefined || this.#sending || wanted === this.#sent) return;
    this.#sending = true;
    send(value).then(
      () => {
        this.#sending = false;
        this.#sent = wanted;
      },
      (error: unknown) => {
        this.#sending = false;
        log.warn({ what, error: messageOf(error) }, 'nginx did not take a value, trying again');
      },
    );
  }
}
