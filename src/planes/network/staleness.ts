import type { SourceStatus } from '../../kube/source.ts';
import type { NetworkNotice } from './plan.ts';

/**
 * Whether the routes yield to other announcers because the cluster was not read for too long: a block may be another node's by now.
 * A source that only doubts a loss reads the cluster, and what moved is seen. Times are monotonic, and handed in.
 */
export class Staleness {
  readonly #limitMs: number;
  /** When the cluster was known to be read; at first, when that was asked for the first time. */
  #readAtMs: number | undefined;
  #everRead = false;
  #yields = false;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /**
   * Looks at the source. `relayYields`: the routes yield already, as an agent before this one left them. They then do so until
   * the cluster is read, so that the restart of an agent is no end of it.
   */
  look(source: SourceStatus, relayYields: boolean, nowMs: number): void {
    const isRead = source.phase === 'live' || (source.phase === 'stale' && source.reason === 'SourceImplausible');
    if (isRead || this.#readAtMs === undefined) this.#readAtMs = nowMs;
    this.#everRead ||= isRead;
    const goesOn = this.#yields || (!this.#everRead && relayYields);
    this.#yields = !isRead && (goesOn || nowMs - this.#readAtMs >= this.#limitMs);
  }

  get yields(): boolean {
    return this.#yields;
  }

  /** When the routes begin to yield unless the cluster is read before. */
  get nextAtMs(): number {
    return this.#yields ? Infinity : (this.#readAtMs ?? Infinity) + this.#limitMs;
  }
}

export function staleNotice(source: SourceStatus): NetworkNotice {
  const why = 'reason' in source && source.reason !== undefined ? ` (${source.reason})` : '';
  const message = `the cluster is not read${why}: the routes stay, and yield to other servers that announce the same`;
  return { subject: 'cluster', reason: 'YieldsWhileStale', message };
}
