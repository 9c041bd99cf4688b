import { messageOf } from '../../src/model/values.ts';

/** How long a test waits, and how. */
export interface Patience {
  readonly timeoutMs: number;
  /** From one look to the next. */
  readonly everyMs: number;
  /** What an error of a look means: `not yet`, which is the default, or the end of the wait, for looks that must not fail. */
  readonly onError?: 'not yet' | 'fail';
  /** More to say when the time is over, for people: the end of a log. */
  readonly show?: () => string | Promise<string>;
}

/** What one look of a test at the world gives; false and undefined mean that it has to look again. */
export type Look<T> = () => T | false | undefined | Promise<T | false | undefined>;

/** A look throws this to say what it saw instead of what is awaited: always `not yet`, whatever `onError` says. */
export class NotYet extends Error {
  override readonly name = 'NotYet';
}

/**
 * Looks again and again until a look gives something other than false and undefined, and resolves with that. After
 * `timeoutMs` it rejects, saying what it waited for, for how long, and what it saw last. There is always at least one look,
 * and one after the deadline.
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

/** As `eventually`, with the patience that a room of tests usually has. Without a `what` the text of the look says it. */
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

/** A look that holds once `missing` gives undefined; what is missing is what was last seen. */
export function nothing(missing: () => string | undefined | Promise<string | undefined>): Look<true> {
  return async () => {
    const word = await missing();
    if (word !== undefined) throw new NotYet(word);
    return true;
  };
}
