import { type FSWatcher, watch } from 'node:fs';
import { basename } from 'node:path';
import type { Clock, Timer } from '../../runtime/clock.ts';

/**
 * Tells that something in a set of folders may have changed: by the kernel's events where it can, and by a slow poll as
 * the net under them (missing folders, network file systems, exhausted inotify watches).
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

  /** Watches exactly these folders from now on. True when a watch is new: what changed before it is not known. */
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
   * A watch belongs to the inode: when the folder itself is renamed or removed (an event under its own name), it is
   * given up, to be made anew. False: no watch to be had, the poll finds the change.
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
