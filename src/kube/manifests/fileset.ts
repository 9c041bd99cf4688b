import { compareKeys } from '../../model/values.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type FileContent, type FileProblem, readContent } from './files.ts';
import type { FolderListing, Signature } from './folder.ts';

export interface FileSetOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly quietMs: number;
  readonly unrestMs: number;
}

export interface FileSetUpdate {
  /** A file is being written: call `update` again soon. */
  readonly unsettled: boolean;
  /** The contents must not be used yet: they are between two saves. */
  readonly wait: boolean;
  /** Contents or problems differ from the last update whose `wait` was false. */
  readonly changed: boolean;
  readonly problems: readonly FileProblem[];
}

const gone = 'gone';
type Listed = Extract<FolderListing, { readonly ok: true }>;

/**
 * The contents in force of a folder's files. A change (also a disappearance) counts when the file is at rest: it is the same
 * in two updates, or no event came for `quietMs`. While any file is unsettled all files wait, so that an object that moves
 * between files never disappears; they wait no longer than `unrestMs`.
 */
export class FileSet {
  readonly #options: FileSetOptions;
  #contents = new Map<string, FileContent>();
  /** The signatures that the last update found and did not trust yet. */
  #seen = new Map<string, Signature>();
  #eventAtMs: number | undefined;
  #unsettledSinceMs: number | undefined;
  #changed = false;

  constructor(options: FileSetOptions) {
    this.#options = options;
  }

  /** The contents by path, sorted. */
  get contents(): ReadonlyMap<string, FileContent> {
    return this.#contents;
  }

  noteEvent(): void {
    this.#eventAtMs = this.#options.clock.monotonic();
  }

  /** To be called when the folder itself is gone: the contents stay in force, and whatever comes back must be at rest anew. */
  forget(): void {
    this.#seen = new Map();
    this.#unsettledSinceMs = undefined;
    this.#changed = true;
  }

  /** Takes the files of a listing. One that is `torn` proves of no file that it is gone, and is not all there is. */
  async update({ files: listed, torn }: Pick<Listed, 'files' | 'torn'>): Promise<FileSetUpdate> {
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
      if (!torn && this.#trusted(path, gone, rested)) this.#changed = true;
      else {
        seen.set(path, gone);
        next.set(path, before);
      }
    }
    this.#seen = seen;
    this.#contents = new Map([...next].toSorted(compareKeys));
    return this.#conclude(torn);
  }

  #conclude(torn: boolean): FileSetUpdate {
    const now = this.#options.clock.monotonic();
    const unsettled = this.#seen.size > 0 || torn;
    this.#unsettledSinceMs = unsettled ? (this.#unsettledSinceMs ?? now) : undefined;
    const wait = unsettled && now - (this.#unsettledSinceMs ?? now) < this.#options.unrestMs;
    const problems: FileProblem[] = [];
    for (const { problem } of this.#contents.values()) if (problem !== undefined) problems.push(problem);
    for (const path of this.#seen.keys())
      problems.push({ reason: 'StillChanging', file: path, message: 'is being written without a pause' });
    if (torn)
      problems.push({ reason: 'StillChanging', file: this.#options.folder, message: 'changes whenever it is listed' });
    const changed = this.#changed || unsettled;
    if (!wait) this.#changed = false;
    return { unsettled, wait, changed, problems };
  }

  #trusted(path: string, signature: Signature, rested: boolean): boolean {
    return rested || this.#seen.get(path) === signature;
  }

  /** True when the kernel reported a change and then none for `quietMs`. Using it resets it, so it counts for one update. */
  #rested(): boolean {
    const at = this.#eventAtMs;
    this.#eventAtMs = undefined;
    // One millisecond is subtracted because a timer may fire a fraction of a millisecond early.
    return at !== undefined && this.#options.clock.monotonic() - at >= this.#options.quietMs - 1;
  }
}
