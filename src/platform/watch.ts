import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Platform } from '../model/spec/platform.ts';
import { messageOf } from '../model/values.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { loadPlatformOrThrow } from './load.ts';

export interface PlatformStatus {
  readonly phase: 'current' | 'invalid';
  readonly reason?: 'PlatformInvalid';
  readonly message?: string;
}

export interface PlatformWatchOptions<View> {
  /** File or folder. */
  readonly path: string;
  /** What the caller needs of a platform. Throws InputError when it is not there: then the platform counts as invalid. */
  readonly view: (platform: Platform) => View;
  readonly clock: Clock;
  readonly log: Log;
  readonly intervalMs: number;
  readonly load?: (paths: readonly string[]) => Promise<Platform>;
}

/** A file that has not changed for this long is taken for saved. */
const restMs = 100;

/**
 * The platform spec, looked at every `intervalMs` and read again when a file of it changed and all are at rest: half of a
 * spec that is being saved is often a valid spec. An edit that does not load, or
 * without what the caller needs, changes nothing but the status: the last good one stays in force.
 */
export class PlatformWatch<View> {
  readonly #options: PlatformWatchOptions<View>;
  #current: { readonly platform: Platform; readonly view: View } | undefined;
  #status: PlatformStatus = { phase: 'current' };
  #signature = '';
  /** What the look before found and did not trust yet. */
  #seen: string | undefined;
  #listener: () => void = () => {};
  #timer: Timer | undefined;
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: PlatformWatchOptions<View>) {
    this.#options = options;
  }

  /** The first load; throws an InputError when the spec is bad or lacks what the caller needs. */
  async start(): Promise<void> {
    this.#use(await this.#load());
    this.#signature = await this.#sign();
    this.#schedule(this.#options.intervalMs);
  }

  current(): View {
    if (this.#current === undefined) throw new Error('the platform was not loaded yet');
    return this.#current.view;
  }

  /** The one listener, called after the platform or its status changed. */
  onChange(listener: () => void): void {
    this.#listener = listener;
  }

  status(): PlatformStatus {
    return this.#status;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#looking;
  }

  #schedule(delayMs: number): void {
    if (this.#stopped) return;
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#looking = this.#look().then((rested) => this.#schedule(rested ? this.#options.intervalMs : restMs));
    }, delayMs);
  }

  /** False when files are being written: look again soon. */
  async #look(): Promise<boolean> {
    const signature = await this.#sign();
    if (this.#stopped || signature === this.#signature) return true;
    const atRest = this.#seen === signature;
    this.#seen = signature;
    if (!atRest) return false;
    const [loaded] = await Promise.allSettled([this.#load()]);
    if ((await this.#sign()) !== signature) return false;
    this.#signature = signature;
    try {
      if (loaded.status === 'rejected') throw loaded.reason;
      this.#use(loaded.value);
      this.#status = { phase: 'current' };
      this.#options.log.info({}, 'platform read again');
    } catch (error) {
      const message = messageOf(error);
      this.#status = { phase: 'invalid', reason: 'PlatformInvalid', message };
      this.#options.log.error({ ...this.#status }, 'platform does not load, the last good one stays');
    }
    this.#listener();
    return true;
  }

  #load(): Promise<Platform> {
    const { load = loadPlatformOrThrow, path } = this.#options;
    return load([path]);
  }

  #use(platform: Platform): void {
    this.#current = { platform, view: this.#options.view(platform) };
  }

  /** Names, sizes and times of the spec's files; what lies in a cluster's manifest folder is not the spec. */
  async #sign(): Promise<string> {
    const { platform } = this.#current ?? {};
    const manifests = [...(platform?.clusters ?? [])].flatMap(([name, { spec }]) =>
      'manifests' in spec.source ? [resolve(platform?.folderOf(name) ?? '', spec.source.manifests)] : [],
    );
    return signatureOf(resolve(this.#options.path), new Set(manifests));
  }
}

async function signatureOf(path: string, skip: ReadonlySet<string>): Promise<string> {
  if (skip.has(path)) return '';
  try {
    const found = await stat(path);
    if (!found.isDirectory()) return `${path} ${found.ino} ${found.size} ${found.mtimeMs}\n`;
    const names = (await readdir(path)).filter((name) => !name.startsWith('.')).toSorted();
    return (await Promise.all(names.map((name) => signatureOf(join(path, name), skip)))).join('');
  } catch {
    return `${path} unreadable\n`;
  }
}
