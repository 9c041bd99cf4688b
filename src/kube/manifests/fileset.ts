import { compareKeys } from '../../model/values.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type FileContent, type FileProblem, readContent } from './files.ts';
import type { Signature } from './folder.ts';

export interface FileSetOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly quietMs: number;
  readonly unrestMs: number;
}

export interface FileSetUpdate {
  /** Something is being written: look again soon. */
  readonly unsettled: boolean;
  /** Make nothing of the contents yet: they are between two saves. */
  readonly wait: boolean;
  /** Contents or problems differ from the update before that did not wait. */
  readonly changed: boolean;
  readonly problems: readonly FileProblem[];
}

const gone = 'gone';

/**
 * The contents in force of a folder's files. A change (also a disappearance) counts when the file is at rest: the same
 * in two looks, or no event was heard for the quiet time. While any file is unsettled all wait, so that an object that
 * moves between files never disappears; but not for ever.
 */
export class FileSet {
  readonly #options: FileSetOptions;
  #contents = new Map<string, FileContent>();
  /** The signatures that the look before found and did not trust yet. */
  #seen = new Map<string, Signature>();
  #eventAtMs: number | undefined;
  #unsettledSinceMs: number | undefined;
  #changed = false;

  constructor(options: FileSetOptions) {
    this.#options = options;
  }

  /** By path, sorted. */
  get contents(): ReadonlyMap<string, FileContent> {
    return this.#contents;
  }

  noteEvent(): void {
    this.#eventAtMs = this.#options.clock.monotonic();
  }

  /** The folder itself is gone: its contents stay in force, and whatever comes back is looked at as new. */
  forget(): void {
    this.#seen = new Map();
    this.#unsettledSinceMs = undefined;
    this.#changed = true;
  }

  async update(listed: ReadonlyMap<string, Signature>): Promise<FileSetUpdate> {
    const rested = this.#rested();
    const seen = new Map<string, Signature>();
    const next = new Map<string, FileContent>();
    for (const [path, signature] of listed) {
      const before = this.#contents.get(path);
      if (before?.signature === signature && before.problem?.reason !== 'NotReadable') next.set(path, before);
      else {
        const content = this.#trusted(path, signature, rested)
          ? await readContent(this.#options.folder, path, signature, before)
          : 'changing';
        if (content === 'changing') seen.set(path, signature);
        else this.#changed = true;
        const kept = content === 'changing' ? before : content;
        if (kept !== undefined) next.set(path, kept);
      }
    }
    for (const [path, before] of this.#contents) {
      if (listed.has(path)) continue;
      if (this.#trusted(path, gone, rested)) this.#changed = true;
      else {
        seen.set(path, gone);
        next.set(path, before);
      }
    }
    this.#seen = seen;
    this.#contents = new Map([...next].toSorted(compareKeys));
    return this.#conclude();
  }

  #conclude(): FileSetUpdate {
    const now = this.#options.clock.monotonic();
    const unsettled = this.#seen.size > 0;
    this.#unsettledSinceMs = unsettled ? (this.#unsettledSinceMs ?? now) : undefined;
    const wait = unsettled && now - (this.#unsettledSinceMs ?? now) < this.#options.unrestMs;
    const problems: FileProblem[] = [];
    for (const { problem } of this.#contents.values()) if (problem !== undefined) problems.push(problem);
    for (const path of this.#seen.keys())
      problems.push({ reason: 'StillChanging', file: path, message: 'is being written without a pause' });
    const changed = this.#changed || unsettled;
    if (!wait) this.#changed = false;
    return { unsettled, wait, changed, problems };
  }

  #trusted(path: string, signature: Signature, rested: boolean): boolean {
    return rested || this.#seen.get(path) === signature;
  }

  /** True when the kernel told of the change and then of none for the quiet time. Good for one look. */
  #rested(): boolean {
    const at = this.#eventAtMs;
    this.#eventAtMs = undefined;
    // A timer may fire a fraction of a millisecond early.
    return at !== undefined && this.#options.clock.monotonic() - at >= this.#options.quietMs - 1;
  }
}
