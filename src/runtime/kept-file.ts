import { open, rename, stat } from 'node:fs/promises';
import type { Clock, Timer } from './clock.ts';

/**
 * Tells whether a file is as this process read or wrote it last: somebody may remove or change what an agent needs only at its next
 * start. A change that leaves inode, size and time as they were is not noticed.
 */
export class FileMark {
  readonly #path: string;
  #mark: string | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** The file is now as this process read or wrote it. */
  async take(): Promise<void> {
    this.#mark = await markOf(this.#path);
  }

  /** The file is being written: until `take` it is not what it should be. */
  forget(): void {
    this.#mark = undefined;
  }

  async stands(): Promise<boolean> {
    return this.#mark !== undefined && this.#mark === (await markOf(this.#path));
  }
}

/** What tells a file from another one in its place, or from the same one after somebody changed it; undefined when there is none. */
async function markOf(path: string): Promise<string | undefined> {
  try {
    const { ino, size, mtimeMs } = await stat(path);
    return `${ino} ${size} ${mtimeMs}`;
  } catch {
    return undefined;
  }
}

/**
 * Writes a file of this process alone, which only its user may read. A reader sees the text before or this one whole, also after a power
 * cut; what a write that was cut off leaves behind is replaced by the next one. Rejects with the error of the system.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp`;
  const handle = await open(temporary, 'w', 0o600);
  try {
    await handle.chmod(0o600);
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, path);
}

export interface LookoutOptions {
  readonly clock: Clock;
  /** Whether the file is there as it should be; must not reject. */
  readonly stands: () => Promise<boolean>;
  /** Writes it again. */
  readonly restore: () => void;
}

/** How often it is looked: what is lost is there again within this time. */
const lookEveryMs = 60_000;

/** Looks every minute whether a file that an agent keeps is still there, and has it written again when it is not. */
export class Lookout {
  readonly #options: LookoutOptions;
  #timer: Timer | undefined;
  #ended = false;

  constructor(options: LookoutOptions) {
    this.#options = options;
  }

  /** Begins to look; more calls change nothing. */
  start(): void {
    if (!this.#ended) this.#timer ??= this.#options.clock.setTimeout(() => void this.#look(), lookEveryMs);
  }

  stop(): void {
    this.#ended = true;
    this.#timer?.cancel();
  }

  async #look(): Promise<void> {
    const { stands, restore } = this.#options;
    const standing = await stands();
    if (this.#ended) return;
    if (!standing) restore();
    this.#timer = undefined;
    this.start();
  }
}
