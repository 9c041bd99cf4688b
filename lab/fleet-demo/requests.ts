import { createInterface } from 'node:readline';
import type { Network } from '../net/network.ts';

/** What the asker is told, as JSON in its one argument. */
export interface AskerConfig {
  readonly address: string;
  readonly host: string;
  readonly source: string;
  readonly requestsPerSecond: number;
  readonly timeoutMs: number;
}

/** One request that ended. */
export interface Asked {
  readonly startedAtMs: number;
  readonly tookMs: number;
  /** It was sent twice: its connection was closed before any byte of the answer. */
  readonly retried: boolean;
  /** The pod that answered. */
  readonly pod?: string;
  readonly failure?: string;
}

/** What became of the requests that were begun in a time. */
export interface RequestAccount {
  readonly requests: number;
  readonly failed: number;
  readonly retried: number;
  readonly failures: readonly { readonly country: string; readonly atMs: number; readonly reason: string }[];
  readonly pods: ReadonlySet<string>;
}

/** Everything that the client asked, and what it got. */
export class Requests {
  readonly #asked: Asked[] = [];

  record(asked: Asked): void {
    this.#asked.push(asked);
  }

  /** The requests that were begun at or after `fromMs` and before `toMs`, ms since the epoch, without those in flight. */
  window(fromMs: number, toMs = Number.POSITIVE_INFINITY): RequestAccount {
    const inside = this.#asked.filter(({ startedAtMs }) => startedAtMs >= fromMs && startedAtMs < toMs);
    const failures = inside.flatMap(({ startedAtMs, tookMs, failure }) =>
      failure === undefined ? [] : [{ country: 'client', atMs: startedAtMs + tookMs, reason: failure }],
    );
    return {
      requests: inside.length,
      failed: failures.length,
      retried: inside.filter(({ retried }) => retried).length,
      failures,
      pods: new Set(inside.flatMap(({ pod }) => pod ?? [])),
    };
  }
}

/** Starts the client in a namespace; it asks until the network ends. */
export function startAsking(
  place: { readonly network: Network; readonly namespace: string; readonly program: string; readonly node: string },
  config: AskerConfig,
  requests: Requests,
): void {
  const child = place.network.spawn(place.namespace, place.node, [place.program, JSON.stringify(config)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (child.stdout === null) return;
  createInterface({ input: child.stdout }).on('line', (line) => requests.record(JSON.parse(line) as Asked));
}
