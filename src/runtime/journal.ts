import { constants } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf } from '../model/values.ts';
import { readBounded, UnreadableFile } from './bounded-file.ts';
import type { Clock, Timer } from './clock.ts';
import type { Log } from './log.ts';

/** A journal entry: one JSON object a line. */
export interface Entry {
  /** In milliseconds since the epoch. */
  readonly atMs: number;
}

export interface JournalOptions {
  /** The file; the generation before it has the same name with `.1`. */
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
  /** The most bytes of one generation; there are two. Default 2 MiB. */
  readonly maxBytes?: number;
}

/** What a journal tells. */
export interface Told {
  readonly entries: readonly Entry[];
  /** How many lines on disk could not be read. */
  readonly damaged: number;
  /** Why what is decided now is not written to disk. */
  readonly problem?: string;
}

/** So many of the newest entries are kept in memory, and told; and as many may wait to be written. */
const kept = 2000;
const retryMs = 10_000;

/**
 * A bounded journal on disk. Entries are appended in the background, a batch at a time, and not synced: what the machine itself loses
 * with its power are the last seconds. A disk that cannot be written is a state that is told (`problem`); entries wait meanwhile, and the
 * oldest of too many are left out. A line that cannot be read is skipped and counted.
 */
export class Journal {
  readonly #options: JournalOptions;
  readonly #maxBytes: number;
  #entries: Entry[] = [];
  #waiting: string[] = [];
  #damaged = 0;
  #size = 0;
  #problem: string | undefined;
  /** What is there is no file: nothing is ever written to it. */
  #unusable = false;
  #working: Promise<void>;
  #retry: Timer | undefined;
  #closed = false;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#maxBytes = options.maxBytes ?? 2 << 20;
    this.#working = Promise.resolve();
  }

  /** Reads what an earlier writer left. Never rejects. */
  async open(): Promise<void> {
    const { path } = this.#options;
    const older = await this.#read(`${path}.1`);
    const newer = await this.#read(path);
    this.#size = newer.bytes;
    this.#entries = [...older.entries, ...newer.entries, ...this.#entries].slice(-kept);
    // The end of a line that was cut must not take the next line with it.
    if (newer.cut) this.#waiting.unshift('');
  }

  append(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    this.#entries = [...this.#entries, ...entries].slice(-kept);
    if (this.#unusable) return;
    this.#waiting = [...this.#waiting, ...entries.map((entry) => JSON.stringify(entry))].slice(-kept);
    this.#write();
  }

  /** The newest entries since a time, the oldest first. */
  told(sinceMs: number): Told {
    const entries = this.#entries.filter(({ atMs }) => atMs >= sinceMs);
    return { entries, damaged: this.#damaged, ...(this.#problem === undefined ? {} : { problem: this.#problem }) };
  }

  /** Resolves when what waits was written, or could not be. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    this.#write();
    await this.#working;
  }

  #write(): void {
    this.#working = this.#working.then(() => this.#writeWaiting());
  }

  async #writeWaiting(): Promise<void> {
    if (this.#waiting.length === 0 || this.#unusable) return;
    const lines = this.#waiting;
    this.#waiting = [];
    const text = `${lines.join('\n')}\n`;
    try {
      await this.#put(text);
      this.#size += Buffer.byteLength(text);
      if (this.#problem !== undefined) this.#options.log.info({}, 'the history is written again');
      this.#problem = undefined;
    } catch (error) {
      this.#waiting = [...lines, ...this.#waiting].slice(-kept);
      this.#fail(error);
    }
  }

  async #put(text: string): Promise<void> {
    const { path } = this.#options;
    if (this.#size > 0 && this.#size + Buffer.byteLength(text) > this.#maxBytes) {
      await rename(path, `${path}.1`);
      this.#size = 0;
    }
    await mkdir(dirname(path), { recursive: true });
    // A FIFO without a reader is refused by this flag instead of holding a thread.
    const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;
    const handle = await open(path, flags, 0o640);
    try {
      if (!(await handle.stat()).isFile()) throw new UnreadableFile('NotAFile', 'is no regular file');
      await handle.appendFile(text);
    } finally {
      await handle.close();
    }
  }

  #fail(error: unknown): void {
    const { clock, log, path } = this.#options;
    this.#unusable ||= error instanceof UnreadableFile;
    const problem = `HistoryNotWritten: ${path}: ${messageOf(error)}`;
    if (problem !== this.#problem)
      log.warn({ reason: 'HistoryNotWritten', error: messageOf(error) }, 'the history is not written');
    this.#problem = problem;
    this.#retry?.cancel();
    if (!this.#closed && !this.#unusable) this.#retry = clock.setTimeout(() => this.#write(), retryMs);
  }

  async #read(
    path: string,
  ): Promise<{ readonly entries: readonly Entry[]; readonly bytes: number; readonly cut: boolean }> {
    try {
      const text = (await readBounded(path, this.#maxBytes * 2)).toString('utf8');
      const lines = text.split('\n').filter((line) => line !== '');
      const entries = lines.flatMap((line) => entryOf(line) ?? []);
      this.#damaged += lines.length - entries.length;
      return { entries, bytes: Buffer.byteLength(text), cut: text !== '' && !text.endsWith('\n') };
    } catch (error) {
      if (error instanceof UnreadableFile) this.#fail(error);
      return { entries: [], bytes: 0, cut: false };
    }
  }
}

function entryOf(line: string): Entry | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const is = typeof value === 'object' && value !== null && 'atMs' in value && Number.isFinite(value.atMs);
    return is ? (value as Entry) : undefined;
  } catch {
    return undefined;
  }
}
