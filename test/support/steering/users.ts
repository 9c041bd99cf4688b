import { setTimeout as sleep } from 'node:timers/promises';
import { type NameServer, resolveFor } from './resolve.ts';

/** A resolver and the users behind it. */
export interface Resolver {
  /** An address of its users; absent for a resolver that sends no client subnet and is answered for where it is itself. */
  readonly client?: string;
  /** For so many milliseconds it keeps an answer longer than it may. */
  readonly overstayMs: number;
}

export interface Users {
  /** Resolves when each resolver has asked once. */
  ready(): Promise<void>;
  /** The answers that the users behind the resolvers have at this moment. */
  answers(): readonly string[];
  /**
   * Called at the moment in which an address died: resolves with how many milliseconds later the users behind each resolver had another one, 0 for those
   * who had another one anyway. Resolves at the latest after `limitMs`, then with infinity for who still has it.
   */
  recoveries(address: string, limitMs: number): Promise<readonly number[]>;
  stop(): Promise<void>;
}

/**
 * Starts resolvers that ask a name server by DNS, keep each answer for its TTL of `ttlMs` and as much longer as they overstay, and ask again then. Their
 * first questions are spread over a TTL. Users use a name all the time, so an answer that ends is asked for at once.
 */
export function startUsers(server: NameServer, host: string, resolvers: readonly Resolver[], ttlMs: number): Users {
  const stopping = new AbortController();
  const { signal } = stopping;
  const kept = resolvers.map((): { address: string; sinceMs: number } => ({ address: '', sinceMs: 0 }));
  // A resolver whose question was lost asks again.
  const addressFor = async (client: string | undefined): Promise<string> => {
    for (;;) {
      signal.throwIfAborted();
      const answer = await resolveFor(server, host, client).catch(() => undefined);
      if (answer !== undefined) return answer[0] ?? 'nothing';
    }
  };
  const loops = resolvers.map(async ({ client, overstayMs }, index) => {
    await sleep((ttlMs * index) / resolvers.length, undefined, { signal });
    for (;;) {
      const address = await addressFor(client);
      if (kept[index]?.address !== address) kept[index] = { address, sinceMs: performance.now() };
      await sleep(ttlMs + overstayMs, undefined, { signal });
    }
  });
  const ended = Promise.all(
    loops.map((loop) =>
      loop.catch((error: unknown) => {
        if (!signal.aborted) throw error;
      }),
    ),
  );
  const answers = (): readonly string[] => kept.map(({ address }) => address);
  const until = async (isReached: () => boolean, limitMs: number): Promise<void> => {
    const endMs = performance.now() + limitMs;
    while (!isReached() && performance.now() < endMs) await Promise.race([sleep(10), ended]);
  };
  return {
    answers,
    ready: () => until(() => answers().every((address) => address !== ''), 60_000),
    async recoveries(address, limitMs) {
      const diedMs = performance.now();
      await until(() => !answers().includes(address), limitMs);
      return kept.map((now) => {
        if (now.address === address) return Number.POSITIVE_INFINITY;
        return Math.max(0, now.sinceMs - diedMs);
      });
    },
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}
