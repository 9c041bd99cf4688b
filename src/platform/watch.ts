import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Platform } from '../model/spec/platform.ts';
import { messageOf } from '../model/values.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { Loop } from '../runtime/loop.ts';
import { Signal, type Unsubscribe } from '../runtime/signal.ts';
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
  readonly #loop: Loop;
  readonly #changes: Signal<void>;
  #current: { readonly platform: Platform; readonly view: View } | undefined;
  #status: PlatformStatus = { phase: 'current' };
  #signature = '';
  /** What the look before found and did not trust yet. */
  #seen: string | undefined;
  #stopped = false;

  constructor(options: PlatformWatchOptions<View>) {
    this.#options = options;
    const { clock, log, intervalMs } = options;
    this.#changes = new Signal((error) => log.error({ err: error }, 'a listener of the platform failed'));
    this.#loop = new Loop({
      clock,
      run: async () => ((await this.#look()) ? intervalMs : restMs),
      onError: (error) => log.error({ err: error }, 'looking at the platform failed; tried again'),
      retry: { firstMs: intervalMs, ceilingMs: intervalMs },
    });
  }

  /** The first load; throws an InputError when the spec is bad or lacks what the caller needs. */
  async start(): Promise<void> {
    this.#use(await this.#load());
    this.#signature = await this.#sign();
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
    this.#changes.emit();
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
