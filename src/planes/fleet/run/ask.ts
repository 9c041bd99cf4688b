import type { z } from 'zod';
import { ofSilent, type Reach } from './reach.ts';

/** What servers said to one question: what was understood, and a clause for each of the others. */
export interface Heard<T> {
  readonly said: ReadonlyMap<string, T>;
  readonly problems: ReadonlyMap<string, string>;
}

/** How servers are asked, and until when. */
export interface Asking {
  readonly reach: Pick<Reach, 'call'>;
  readonly signal: AbortSignal;
}

/** Asks servers by a function of an execution module. An answer that has only a `problem` says why something is not known. */
export async function ask<T>(
  { reach, signal }: Asking,
  servers: readonly string[],
  fn: string,
  answer: z.ZodType<T>,
): Promise<Heard<T>> {
  const called = servers.length === 0 ? new Map() : await reach.call(servers, fn, {}, signal);
  const said = new Map<string, T>();
  const problems = new Map<string, string>();
  for (const server of servers) {
    const one = called.get(server);
    if (one === undefined || 'silent' in one) problems.set(server, ofSilent('it does not answer', one));
    else if ('error' in one) problems.set(server, one.error);
    else {
      const read = answer.safeParse(one.value);
      if (read.success) said.set(server, read.data);
      else problems.set(server, problemOf(one.value) ?? 'what it says is not understood');
    }
  }
  return { said, problems };
}

function problemOf(value: unknown): string | undefined {
  const { problem } = (value ?? {}) as { readonly problem?: unknown };
  return typeof problem === 'string' ? problem : undefined;
}
