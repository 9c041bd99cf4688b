/** Takes the listener back; a second call does nothing. */
export type Unsubscribe = () => void;

/**
 * Something that several may want to hear of.
 *
 * - `emit` calls the listeners in the order of their subscriptions, before it returns.
 * - A listener that throws stops nobody: what it threw goes to `onError`, the others are called.
 * - One that subscribes while an `emit` runs hears of the next one; one that unsubscribes meanwhile is not called any more.
 * - An `emit` inside of an `emit` runs at once, so that listeners later in the order hear the newer value first.
 * - The same function subscribed twice is called twice, and each subscription ends by itself.
 */
export class Signal<Value> {
  readonly #onError: (error: unknown) => void;
  readonly #subscriptions = new Set<{ readonly listener: (value: Value) => void }>();

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  subscribe(listener: (value: Value) => void): Unsubscribe {
    const subscription = { listener };
    this.#subscriptions.add(subscription);
    return () => {
      this.#subscriptions.delete(subscription);
    };
  }

  emit(value: Value): void {
    const now = [...this.#subscriptions];
    for (const subscription of now) {
      if (!this.#subscriptions.has(subscription)) continue;
      try {
        subscription.listener(value);
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}
