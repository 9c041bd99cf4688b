import { messageOf } from '../../src/model/values.ts';

/** How long and how often a test looks for what it waits for. */
export interface Patience {
  readonly timeoutMs: number;
  /** The time from one look to the next. */
  readonly everyMs: number;
  /** What an error of a look means: `not yet`, the default, goes on; `fail` ends the wait, for looks that must not fail. */
  readonly onError?: 'not yet' | 'fail';
  /** Gives more text for the error when the time is over, such as the end of a log. */
  readonly show?: () => string | Promise<string>;
}

/** One look of a test at the world; when it gives false or undefined, the test looks again. */
export type Look<T> = () => T | false | undefined | Promise<T | false | undefined>;

/** A look throws this to tell what it saw instead of what is awaited. It always means `not yet`, whatever `onError` is. */
export class NotYet extends Error {
  override readonly name = 'NotYet';
}

/**
 * Looks again and again until a look gives something other than false and undefined, and resolves with that. After
 * `timeoutMs` it rejects with what it waited for, for how long, and what it saw last. There is always at least one look, and
 * one after the deadline.
 */
export async function eventually<T>(what: string, look: Look<T>, patience: Patience): Promise<T> {
  const { timeoutMs, everyMs, onError = 'not yet', show } = patience;
  const began = performance.now();
  for (;;) {
    let last: unknown;
    try {
      const seen = await look();
      if (seen !== undefined && seen !== false) return seen;
      last = seen;
    } catch (error) {
      if (onError === 'fail' && !(error instanceof NotYet)) throw error;
      last = error;
    }
    const waitedMs = Math.round(performance.now() - began);
    if (waitedMs > timeoutMs) {
      const more = show === undefined ? '' : `\n${(await show()).slice(-4000)}`;
      const message = `not within ${timeoutMs} ms: ${what} (waited ${waitedMs} ms, last seen: ${messageOf(last)})${more}`;
      throw new Error(message, { cause: last });
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** The same as `eventually`, with the usual patience of a room of tests. Without a `what`, errors quote the source of the look. */
interface Eventually {
  <T>(what: string, look: Look<T>, patience?: Partial<Patience>): Promise<T>;
  <T>(look: Look<T>, patience?: Partial<Patience>): Promise<T>;
}

export function eventuallyWith(usual: Patience): Eventually {
  function withUsual<T>(what: string, look: Look<T>, patience?: Partial<Patience>): Promise<T>;
  function withUsual<T>(look: Look<T>, patience?: Partial<Patience>): Promise<T>;
  function withUsual<T>(...words: readonly (string | Look<T> | Partial<Patience> | undefined)[]): Promise<T> {
    const look = words.find((word) => typeof word === 'function');
    if (look === undefined) throw new Error('there is nothing to look at');
    const [what = textOf(look)] = words.filter((word) => typeof word === 'string');
    const [patience] = words.filter((word) => typeof word === 'object');
    return eventually(what, look, { ...usual, ...patience });
  }
  return withUsual;
}

function textOf(look: () => unknown): string {
  return look.toString().replaceAll(/\s+/g, ' ').slice(0, 300);
}

/** A look that succeeds once `missing` gives undefined; until then it throws what is missing as `NotYet`. */
export function nothing(missing: () => string | undefined | Promise<string | undefined>): Look<true> {
  return async () => {
    const word = await missing();
    if (word !== undefined) throw new NotYet(word);
    return true;
  };
}
