import { stat } from 'node:fs/promises';
import { messageOf } from '../../../model/values.ts';
import { readBounded, UnreadableFile } from '../../../runtime/bounded-file.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { noCredentials } from './access.ts';

interface Known {
  readonly mark: string;
  readonly content: string;
  lookedMs: number;
}

/** A kubeconfig with hundreds of clusters, or a bundle of all authorities of the world, has less. */
export const accessFileBytes = 4 << 20;

/** How often a file on disk is looked at, at most: a change is seen after this long at the latest. */
const lookMs = 1000;

/** Small files (certificates, tokens, kubeconfigs) that are read again after a rotation changed them. */
export class WatchedFiles {
  readonly #clock: Clock;
  readonly #known = new Map<string, Known>();
  /** How often a file was read again and its content differed. */
  reloads = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async read(path: string): Promise<string> {
    const now = this.#clock.monotonic();
    const known = this.#known.get(path);
    if (known !== undefined && now - known.lookedMs < lookMs) return known.content;
    try {
      const { mtimeMs, ino, size } = await stat(path);
      const mark = `${mtimeMs} ${ino} ${size}`;
      if (known?.mark === mark) {
        known.lookedMs = now;
        return known.content;
      }
      const content = (await readBounded(path, accessFileBytes)).toString('utf8');
      if (known !== undefined && known.content !== content) this.reloads += 1;
      this.#known.set(path, { mark, content, lookedMs: now });
      return content;
    } catch (error) {
      throw noCredentials(error instanceof UnreadableFile ? `${path} ${error.message}` : messageOf(error));
    }
  }

  forget(): void {
    for (const known of this.#known.values()) known.lookedMs = Number.NEGATIVE_INFINITY;
  }
}
