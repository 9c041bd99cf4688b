import { type SnapshotFile, SnapshotWriter } from '../../kube/last-good.ts';
import type { ClusterState, SourceStatus } from '../../kube/source.ts';
import type { Clock, Timer } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { NetworkReason } from './reasons.ts';

export interface LastGoodOptions {
  readonly snapshot?: SnapshotFile;
  readonly clock: Clock;
  readonly log: Log;
  /** Called when `state` is another one. */
  readonly onChange: () => void;
}

/** How long a source may take for its first sync before the last-good state is used instead. */
const patienceMs = 2000;
/** How often it is said that the cluster was not read yet. */
const reminderMs = 30_000;

/** The state of the cluster for a worker: what the source says or, until it says something, the last-good state from disk. */
export class LastGood {
  readonly #options: LastGoodOptions;
  readonly #writer: SnapshotWriter | undefined;
  #state: ClusterState | undefined;
  #fromDisk = false;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: LastGoodOptions) {
    this.#options = options;
    const { snapshot, clock, log } = options;
    if (snapshot !== undefined) this.#writer = new SnapshotWriter({ file: snapshot, clock, log, delayMs: 1000 });
  }

  get state(): ClusterState | undefined {
    return this.#state;
  }

  /** True while the state is that of an earlier agent. */
  get fromDisk(): boolean {
    return this.#fromDisk;
  }

  /** When the state of an earlier agent was saved, as text. */
  get savedAt(): string {
    const savedAtMs = this.#state?.origin?.savedAtMs;
    return savedAtMs === undefined ? 'an unknown time' : new Date(savedAtMs).toISOString();
  }

  start(): void {
    this.#timer = this.#options.clock.setTimeout(() => void this.#read(), patienceMs);
  }

  sourceChanged(state: ClusterState): void {
    this.#timer?.cancel();
    this.#state = state;
    this.#fromDisk = false;
    this.#writer?.save(state);
    this.#options.onChange();
  }

  sourceStatus(status: SourceStatus): void {
    // A source that already knows that it cannot sync need not be waited for.
    const hopeless = status.phase === 'stale' || (status.phase === 'syncing' && status.reason !== undefined);
    if (hopeless && this.#state === undefined) void this.#read();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#writer?.flush();
  }

  async #read(): Promise<void> {
    const state = await this.#options.snapshot?.read();
    if (this.#stopped || state === undefined || this.#state !== undefined) return;
    this.#state = state;
    this.#writer?.keep(state);
    this.#fromDisk = true;
    this.#remind();
    this.#options.onChange();
  }

  #remind(): void {
    const { clock, log } = this.#options;
    const reason: NetworkReason = 'ServingSnapshot';
    log.warn({ reason, savedAt: this.savedAt }, 'the cluster was not read yet; its last-good state is announced');
    this.#timer?.cancel();
    this.#timer = clock.setTimeout(() => this.#remind(), reminderMs);
  }
}
