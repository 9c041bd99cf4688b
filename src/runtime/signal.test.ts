import { describe, expect, it } from 'vitest';
import { Signal } from './signal.ts';

function harness() {
  const heard: string[] = [];
  const errors: unknown[] = [];
  const signal = new Signal<number>((error) => errors.push(error));
  const listen = (name: string, then: () => void = () => {}) =>
    signal.subscribe((value) => {
      heard.push(`${name}${value}`);
      then();
    });
  return { heard, errors, signal, listen };
}

describe('Signal', () => {
  it('calls the listeners in the order of their subscriptions, until they unsubscribe', () => {
    const { heard, signal, listen } = harness();
    const leave = listen('a');
    listen('b');
    signal.emit(1);
    leave();
    leave();
    signal.emit(2);
    expect(heard).toEqual(['a1', 'b1', 'b2']);
  });

  it('reports what a listener throws, and calls the others', () => {
    const { heard, errors, signal, listen } = harness();
    const error = new Error('no');
    listen('a', () => {
      throw error;
    });
    listen('b');
    signal.emit(1);
    expect(heard).toEqual(['a1', 'b1']);
    expect(errors).toEqual([error]);
  });

  it('calls one that subscribes during an emit from the next on, and no more one that unsubscribes during it', () => {
    const { heard, signal, listen } = harness();
    let leave = (): void => {};
    const once = listen('a', () => {
      once();
      listen('c');
      leave();
    });
    leave = listen('b');
    signal.emit(1);
    expect(heard).toEqual(['a1']);
    signal.emit(2);
    expect(heard).toEqual(['a1', 'c2']);
  });

  it('runs an emit inside of an emit at once', () => {
    const { heard, signal, listen } = harness();
    let nested = true;
    listen('a', () => {
      if (nested) {
        nested = false;
        signal.emit(2);
      }
    });
    listen('b');
    signal.emit(1);
    expect(heard).toEqual(['a1', 'a2', 'b2', 'b1']);
  });

  it('takes the same function twice for two subscriptions', () => {
    const { signal } = harness();
    let calls = 0;
    const listener = (): void => {
      calls += 1;
    };
    const leave = signal.subscribe(listener);
    signal.subscribe(listener);
    signal.emit(1);
    leave();
    leave();
    signal.emit(2);
    expect(calls).toBe(3);
  });
});
