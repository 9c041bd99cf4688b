import { stat } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { listFolder } from '../../kube/manifests/folder.ts';
import { formatProblem } from '../../model/problem.ts';
import type { Platform } from '../../model/spec/platform.ts';
import { loadPlatform } from '../../platform/load.ts';
import type { Clock, Timer } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';

export interface SpecWatchOptions {
  /** File or folder. */
  readonly path: string;
  /** What was loaded from it at start. */
  readonly platform: Platform;
  readonly clock: Clock;
  readonly log: Log;
  readonly onChange: () => void;
  /** Default 3 s. */
  readonly pollMs?: number;
}

/** The platform spec as it is now. A spec that is gone or has a fault changes nothing: the last good one stays in force. */
export class SpecWatch {
  readonly #options: SpecWatchOptions;
  #current: Platform;
  #signature: string | undefined;
  #timer: Timer | undefined;
  #looking: Promise<void> | undefined;
  #stopped = false;

  constructor(options: SpecWatchOptions) {
    this.#options = options;
    this.#current = options.platform;
  }

  get current(): Platform {
    return this.#current;
  }

  start(): void {
    this.#looking = this.#look().finally(() => {
      const { clock, pollMs = 3000 } = this.#options;
      if (!this.#stopped) this.#timer = clock.setTimeout(() => this.start(), pollMs);
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#looking;
  }

  /** Loads when a file differs from the look before; the first look takes the place of what was loaded at start. */
  async #look(): Promise<void> {
    const signature = await this.#sign();
    if (signature === undefined || signature === this.#signature) return;
    this.#signature = signature;
    const result = await loadPlatform([this.#options.path], this.#options.clock.now());
    if ('problems' in result) {
      const [first] = result.problems;
      const detail = first === undefined ? '' : formatProblem(first);
      this.#options.log.warn(
        { reason: first?.reason, problems: result.problems.length, detail },
        'the platform spec has a fault; the last good one stays in force',
      );
      return;
    }
    this.#current = result.platform;
    this.#options.onChange();
  }

  async #sign(): Promise<string | undefined> {
    const path = resolve(this.#options.path);
    const state = await stat(path).catch(() => undefined);
    if (state === undefined) return undefined;
    if (state.isFile()) return `${state.ino}:${state.size}:${state.mtimeMs}`;
    const listing = await listFolder(path);
    if (!listing.ok) return undefined;
    const manifests = this.#manifestFolders();
    const ours = [...listing.files].filter(
      ([file]) => !manifests.some((folder) => resolve(path, file).startsWith(folder)),
    );
    return ours.flat().join('\n');
  }

  /** Kubernetes objects change often and are not the spec. */
  #manifestFolders(): readonly string[] {
    return [...this.#current.clusters.entries()].flatMap(([name, { spec }]) =>
      'manifests' in spec.source ? [`${resolve(this.#current.folderOf(name), spec.source.manifests)}${sep}`] : [],
    );
  }
}
