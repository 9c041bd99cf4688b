import type { Kind, ObjectByKind } from '../../../src/kube/kinds.ts';
import type {
  ClusterChange,
  ClusterListener,
  ClusterSource,
  ClusterState,
  SourceStatus,
} from '../../../src/kube/source.ts';

/** Records what a source tells its listener, in order, and waits for more. */
export class Recorder implements ClusterListener {
  readonly changes: ClusterChange[] = [];
  readonly statuses: SourceStatus[] = [];
  readonly #waiting = new Set<() => void>();

  onChange(change: ClusterChange): void {
    this.changes.push(change);
    this.#wake();
  }

  onStatus(status: SourceStatus): void {
    this.statuses.push(status);
    this.#wake();
  }

  get state(): ClusterState | undefined {
    return this.changes.at(-1)?.state;
  }

  get status(): SourceStatus | undefined {
    return this.statuses.at(-1);
  }

  keys(kind: Kind): readonly string[] {
    return [...(this.state?.objects[kind].keys() ?? [])].toSorted();
  }

  get<K extends Kind>(kind: K, key: string): ObjectByKind[K] | undefined {
    return this.state?.objects[kind].get(key);
  }

  /** Resolves when the predicate holds, now or after a report; after `timeoutMs`, rejects with the last status. */
  async until(what: string, predicate: () => boolean, timeoutMs = 30_000): Promise<void> {
    if (predicate()) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const check = (): void => {
      if (predicate()) resolve();
    };
    const timer = setTimeout(
      () => reject(new Error(`waited ${timeoutMs} ms for ${what}; last status ${JSON.stringify(this.status)}`)),
      timeoutMs,
    );
    this.#waiting.add(check);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(check);
    }
  }

  async live(): Promise<void> {
    await this.until('live', () => this.status?.phase === 'live' && this.state !== undefined);
  }

  async stale(reason: string, timeoutMs?: number): Promise<void> {
    await this.until(
      `stale ${reason}`,
      () => this.status?.phase === 'stale' && this.status.reason === reason,
      timeoutMs,
    );
  }

  #wake(): void {
    for (const check of this.#waiting) check();
  }
}

/** Starts the source with a fresh recorder. */
export function record(source: ClusterSource): Recorder {
  const recorder = new Recorder();
  source.start(recorder);
  return recorder;
}
