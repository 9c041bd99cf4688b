import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Platform } from '../model/spec/platform.ts';
import { messageOf } from '../model/values.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { Loop } from '../runtime/loop.ts';
import { Signal, type Unsubscribe } from '../runtime/signal.ts';
import { limits } from './limits.ts';
import { loadPlatformOrThrow } from './load.ts';

export interface PlatformStatus {
  readonly phase: 'current' | 'invalid';
  readonly reason?: 'PlatformInvalid';
  readonly message?: string;
}

export interface PlatformWatchOptions<View> {
  /** The file or folder of the platform spec. */
  readonly path: string;
  /**
   * Takes from a platform the parts that the caller needs. When it throws an InputError because one is missing, the
   * platform counts as invalid.
   */
  readonly view: (platform: Platform) => View;
  readonly clock: Clock;
  readonly log: Log;
  readonly intervalMs: number;
  readonly load?: (paths: readonly string[]) => Promise<Platform>;
}

/** A file that has not changed for this long counts as saved. */
const restMs = 100;

/**
 * The platform spec as it changes on disk. Its files are looked at every `intervalMs`, and read again when one has changed and all
 * are at rest: half of a spec that is being saved is often a valid spec. An edit that does not load, or lacks what the caller
 * needs, changes nothing but the status: the last good spec stays in force.
 */
export class PlatformWatch<View> {
  readonly #options: PlatformWatchOptions<View>;
  readonly #loop: Loop;
  readonly #changes: Signal<void>;
  #current: { readonly platform: Platform; readonly view: View } | undefined;
  #status: PlatformStatus = { phase: 'current' };
  #signature = '';
  /** The signature that the last check found and did not trust yet. */
  #seen: string | undefined;
  #stopped = false;

  constructor(options: PlatformWatchOptions<View>) {
    this.#options = options;
    const { clock, log, intervalMs } = options;
    this.#changes = new Signal((error) => log.error({ err: error }, 'a listener of the platform failed'));
    this.#loop = new Loop({
      clock,
      run: async () => ((await this.#reloadIfChanged()) ? intervalMs : restMs),
      onError: (error) => log.error({ err: error }, 'reading the platform failed, trying again'),
      retry: { firstMs: intervalMs, ceilingMs: intervalMs },
    });
  }

  /** Loads the spec for the first time. Throws an InputError when it is bad or lacks what the caller needs. */
  async start(): Promise<void> {
    this.#adopt(await this.#load());
    this.#signature = await this.#readSignature();
    this.#loop.triggerIn(this.#options.intervalMs);
  }

  current(): View {
    if (this.#current === undefined) throw new Error('the platform was not loaded yet');
    return this.#current.view;
  }

  /** Calls the listener after the platform or its status changed. */
  onChange(listener: () => void): Unsubscribe {
    return this.#changes.subscribe(listener);
  }

  status(): PlatformStatus {
    return this.#status;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#loop.stop();
  }

  /** Resolves with false when files are being written, so that it must run again soon. */
  async #reloadIfChanged(): Promise<boolean> {
    const signature = await this.#readSignature();
    if (this.#stopped || signature === this.#signature) return true;
    const atRest = this.#seen === signature;
    this.#seen = signature;
    if (!atRest) return false;
    const [loaded] = await Promise.allSettled([this.#load()]);
    if ((await this.#readSignature()) !== signature) return false;
    this.#signature = signature;
    try {
      if (loaded.status === 'rejected') throw loaded.reason;
      this.#adopt(loaded.value);
      this.#status = { phase: 'current' };
      this.#options.log.info({}, 'platform read again');
    } catch (error) {
      const message = messageOf(error);
      this.#status = { phase: 'invalid', reason: 'PlatformInvalid', message };
      this.#options.log.error({ ...this.#status }, 'platform does not load, the last good one stays');
    }
    this.#changes.emit();
    return true;
  }

  #load(): Promise<Platform> {
    const { load = loadPlatformOrThrow, path } = this.#options;
    return load([path]);
  }

  #adopt(platform: Platform): void {
    this.#current = { platform, view: this.#options.view(platform) };
  }

  /** Names, sizes and times of the spec's files, without those in the manifest folder of a cluster, which are not the spec. */
  async #readSignature(): Promise<string> {
    const { platform } = this.#current ?? {};
    const manifests = [...(platform?.clusters ?? [])].flatMap(([name, { spec }]) =>
      'manifests' in spec.source ? [resolve(platform?.folderOf(name) ?? '', spec.source.manifests)] : [],
    );
    return signatureOf(resolve(this.#options.path), new Set(manifests), { folders: new Set(), entries: 0 });
  }
}

/** What a walk has seen: a folder is entered once, so that links that lead back to it end. */
interface Seen {
  readonly folders: Set<string>;
  entries: number;
}

/** One entry after the other, so that of two ways to a folder it is always the same that is taken. */
async function signatureOf(path: string, skip: ReadonlySet<string>, seen: Seen): Promise<string> {
  if (skip.has(path) || seen.entries > limits.entriesOfFolder) return '';
  seen.entries += 1;
  try {
    const found = await stat(path);
    if (!found.isDirectory()) return `${path} ${found.ino} ${found.size} ${found.mtimeMs}\n`;
    const id = `${found.dev}:${found.ino}`;
    if (seen.folders.has(id)) return '';
    seen.folders.add(id);
    const names = (await readdir(path)).filter((name) => !name.startsWith('.')).toSorted();
    let signature = '';
    for (const name of names) signature += await signatureOf(join(path, name), skip, seen);
    return signature;
  } catch {
    return `${path} unreadable\n`;
  }
}
