/** Removes the listener. A second call does nothing. */
export type Unsubscribe = () => void;

/**
 * An event with several listeners.
 *
 * - `emit` calls the listeners in the order of their subscriptions, before it returns.
 * - When a listener throws, the error goes to `onError`, and the other listeners are called.
 * - A listener that subscribes while an `emit` runs is called from the next one on; one that unsubscribes meanwhile is not called any more.
 * - An `emit` inside an `emit` runs at once, so that listeners later in the order get the newer value first.
 * - A function that is subscribed twice is called twice, and each subscription is ended on its own.
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
