import { messageOf } from '../model/values.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import { FileMark, Lookout } from '../runtime/kept-file.ts';
import type { Log } from '../runtime/log.ts';
import type { KubeReason } from './reasons.ts';
import { readSnapshot, removeLeftOvers, writeSnapshot } from './snapshot.ts';
import type { ClusterState } from './source.ts';

/**
 * The last good state of a cluster on disk: what an agent takes for in force when it starts, and serves while its cluster cannot be
 * read.
 */
export interface SnapshotFile {
  /**
   * The state on disk; undefined when there is none that can be trusted (the reason is logged). The file is read once: until
   * the first write everybody gets the same state.
   */
  read(): Promise<ClusterState | undefined>;
  write(state: ClusterState): Promise<void>;
  /** Whether the file is there as this process read or wrote it last. */
  isThere?(): Promise<boolean>;
}

/** With `mayLack` it is nothing special that there is no file, or no object in it. */
export function snapshotFile(
  file: string,
  log: Log,
  { mayLack = false }: { readonly mayLack?: boolean } = {},
): SnapshotFile {
  let reading: Promise<ClusterState | undefined> | undefined;
  const mark = new FileMark(file);
  const read = async (): Promise<ClusterState | undefined> => {
    // The agent before this one may have been killed while it wrote.
    await removeLeftOvers(file);
    const found = await readSnapshot(file);
    await mark.take();
    if (found.ok) return found.state;
    if (mayLack && found.reason !== 'SourceUnreadable') return undefined;
    const reason: KubeReason = found.reason === 'SourceMissing' ? 'SnapshotMissing' : 'SnapshotUnreadable';
    log.warn({ reason, file, problem: found.message }, 'no last-good state of the cluster');
    return undefined;
  };
  return {
    read() {
      reading ??= read();
      return reading;
    },
    async write(state) {
      reading = undefined;
      await writeSnapshot(file, state);
      await mark.take();
    },
    isThere: () => mark.stands(),
  };
}

/** After a write there is a rest, this many times as long as the write took, at most `longestRestMs`. */
const restFactor = 20;
const longestRestMs = 10_000;

/**
 * Writes the newest state a while after it changed, one write at a time; a failed write is logged and tried again every ten
 * seconds. A file that is gone, or that somebody changed, is written again within a minute, though nothing changes. A large cluster that changes all the time is written less often, so that writing takes a
 * twentieth of the time, but at least every ten seconds.
 */
export class SnapshotWriter {
  readonly #file: SnapshotFile;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #delayMs: number;
  #newest: ClusterState | undefined;
  /** What should be on disk. */
  #kept: ClusterState | undefined;
  readonly #lookout: Lookout | undefined;
  #ended = false;
  #timer: Timer | undefined;
  #restUntilMs = -Infinity;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: {
    readonly file: SnapshotFile;
    readonly clock: Clock;
    readonly log: Log;
    readonly delayMs: number;
  }) {
    this.#file = options.file;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#delayMs = options.delayMs;
    const { file, clock } = options;
    if (file.isThere !== undefined)
      this.#lookout = new Lookout({ clock, stands: () => this.#stands(), restore: () => this.#restore() });
  }

  save(state: ClusterState): void {
    this.#newest = state;
    this.#schedule(this.#delayMs);
  }

  /** Takes note of what an earlier writer left on disk: it is written again when it is lost before anything newer is saved. */
  keep(state: ClusterState): void {
    this.#kept ??= state;
    this.#lookout?.start();
  }

  /** Ends the writer: writes the state that waits, and resolves when it is on disk, or when the failure was logged. */
  async flush(): Promise<void> {
    this.#ended = true;
    this.#timer?.cancel();
    this.#lookout?.stop();
    await this.#write();
  }

  async #write(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    const before = this.#writing;
    this.#writing = before.then(() => this.#writeNewest());
    await this.#writing;
  }

  #schedule(delayMs: number): void {
    if (this.#ended) return;
    this.#timer ??= this.#clock.setTimeout(() => {
      this.#timer = undefined;
      void this.#writeOrRest();
    }, delayMs);
  }

  async #writeOrRest(): Promise<void> {
    await this.#writing;
    const restMs = this.#restUntilMs - this.#clock.monotonic();
    if (restMs <= 0) await this.#write();
    // What waits still has come meanwhile, or could not be written.
    if (this.#newest !== undefined) this.#schedule(restMs > 0 ? restMs : longestRestMs);
    this.#lookout?.start();
  }

  async #stands(): Promise<boolean> {
    await this.#writing;
    return this.#kept === undefined || this.#newest !== undefined || (await this.#file.isThere?.()) !== false;
  }

  #restore(): void {
    if (this.#kept === undefined || this.#newest !== undefined) return;
    this.#log.warn({}, 'the snapshot is gone or was changed by somebody; it is written again');
    this.save(this.#kept);
  }

  async #writeNewest(): Promise<void> {
    const state = this.#newest;
    if (state === undefined) return;
    this.#newest = undefined;
    const beganMs = this.#clock.monotonic();
    try {
      await this.#file.write(state);
      this.#kept = state;
    } catch (error) {
      this.#log.warn({ error: messageOf(error) }, 'snapshot not written; it is tried again');
      // A disk that is full for a moment must not leave an old state for as long as nothing changes.
      this.#newest ??= state;
    }
    const endedMs = this.#clock.monotonic();
    this.#restUntilMs = endedMs + Math.min((endedMs - beganMs) * restFactor, longestRestMs);
  }
}
