import { type FSWatcher, watch } from 'node:fs';
import { basename } from 'node:path';
import type { Clock, Timer } from '../../runtime/clock.ts';

/**
 * Calls `onHint` when something in a set of folders may have changed: after an event of the kernel, and at every poll, which
 * covers what events do not (missing folders, network file systems, exhausted inotify watches).
 */
export class FolderWatch {
  readonly #clock: Clock;
  readonly #pollMs: number;
  readonly #onHint: (byEvent: boolean) => void;
  readonly #watchers = new Map<string, FSWatcher>();
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: {
    readonly clock: Clock;
    readonly pollMs: number;
    readonly onHint: (byEvent: boolean) => void;
  }) {
    this.#clock = options.clock;
    this.#pollMs = options.pollMs;
    this.#onHint = options.onHint;
  }

  start(): void {
    this.#timer = this.#clock.setTimeout(() => {
      if (this.#stopped) return;
      this.start();
      this.#onHint(false);
    }, this.#pollMs);
  }

  /** Watches exactly these folders from now on. True when a watch is new: changes before it were not seen. */
  follow(folders: readonly string[]): boolean {
    if (this.#stopped) return false;
    const wanted = new Set(folders);
    for (const [folder, watcher] of this.#watchers) {
      if (wanted.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    const added = folders.filter((folder) => !this.#watchers.has(folder) && this.#add(folder));
    return added.length > 0;
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  /**
   * Watches one folder. A watch belongs to the inode: when the folder itself is renamed or removed (an event under its own
   * name), the watch is closed, and `follow` makes a new one. False when the kernel gives no watch; the poll then finds changes.
   */
  #add(folder: string): boolean {
    try {
      const watcher = watch(folder, { persistent: false }, (event, name) => {
        if (event === 'rename' && (name === null || name === basename(folder))) this.#drop(folder, watcher);
        this.#onHint(true);
      });
      watcher.on('error', () => this.#drop(folder, watcher));
      this.#watchers.set(folder, watcher);
      return true;
    } catch {
      return false;
    }
  }

  #drop(folder: string, watcher: FSWatcher): void {
    if (this.#watchers.get(folder) !== watcher) return;
    watcher.close();
    this.#watchers.delete(folder);
  }
}
