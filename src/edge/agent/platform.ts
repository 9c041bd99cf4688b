import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { InputError, type Problem } from '../../model/problem.ts';
import type { EdgePool } from '../../model/spec/kinds.ts';
import type { Platform } from '../../model/spec/platform.ts';
import type { Clock, Timer } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';

export interface PlatformStatus {
  readonly phase: 'current' | 'invalid';
  readonly reason?: 'PlatformInvalid';
  readonly message?: string;
}

/** The platform as this blade sees it: the whole, and its own pool in it. */
export interface BladePlatform {
  readonly platform: Platform;
  readonly pool: EdgePool;
}

export interface PlatformFeedOptions {
  readonly folder: string;
  readonly pool: string;
  readonly blade: string;
  readonly load: (paths: readonly string[]) => Promise<Platform>;
  readonly clock: Clock;
  readonly log: Log;
  readonly intervalMs: number;
}

/**
 * The platform folder, looked at every `intervalMs` and read again when a file in it changed. An edit that does not load,
 * or that takes this blade out of its pool, changes nothing but the status.
 */
export class PlatformFeed {
  readonly #options: PlatformFeedOptions;
  #current: BladePlatform | undefined;
  #status: PlatformStatus = { phase: 'current' };
  #signature = '';
  #listener: () => void = () => {};
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: PlatformFeedOptions) {
    this.#options = options;
  }

  /** The first load; throws an InputError when the folder is bad or does not know the pool or the blade. */
  async start(): Promise<void> {
    this.#current = await this.#load();
    this.#signature = await this.#sign();
    this.#schedule();
  }

  current(): BladePlatform {
    if (this.#current === undefined) throw new Error('the platform was not loaded yet');
    return this.#current;
  }

  /** The one listener, called after the platform or its status changed. */
  onChange(listener: () => void): void {
    this.#listener = listener;
  }

  status(): PlatformStatus {
    return this.#status;
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#timer = this.#options.clock.setTimeout(
      () => void this.#look().then(() => this.#schedule()),
      this.#options.intervalMs,
    );
  }

  async #look(): Promise<void> {
    const signature = await this.#sign();
    if (signature === this.#signature) return;
    this.#signature = signature;
    try {
      this.#current = await this.#load();
      this.#status = { phase: 'current' };
      this.#options.log.info({}, 'platform read again');
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#status = { phase: 'invalid', reason: 'PlatformInvalid', message };
      this.#options.log.error(
        { reason: 'PlatformInvalid', problem: message },
        'platform does not load, the last good one stays',
      );
    }
    this.#listener();
  }

  async #load(): Promise<BladePlatform> {
    const { folder, pool: poolName, blade } = this.#options;
    const platform = await this.#options.load([folder]);
    const pool = platform.edgePools.get(poolName);
    if (pool === undefined)
      throw unknown(`there is no EdgePool ${poolName} in ${folder}`, [...platform.edgePools.keys()]);
    if (!pool.spec.blades.some(({ name }) => name === blade))
      throw unknown(
        `EdgePool ${poolName} has no blade ${blade}`,
        pool.spec.blades.map(({ name }) => name),
      );
    return { platform, pool };
  }

  /** Names, sizes and times of the spec files; what lies in a cluster's manifest folder is not ours. */
  async #sign(): Promise<string> {
    const { platform } = this.#current ?? {};
    const skip = new Set(
      [...(platform?.clusters ?? [])].flatMap(([name, { spec }]) =>
        'manifests' in spec.source ? [resolve(platform?.folderOf(name) ?? '', spec.source.manifests)] : [],
      ),
    );
    return signatureOf(resolve(this.#options.folder), skip);
  }
}

async function signatureOf(path: string, skip: ReadonlySet<string>): Promise<string> {
  if (skip.has(path)) return '';
  try {
    const found = await stat(path);
    if (!found.isDirectory()) return `${path} ${found.ino} ${found.size} ${found.mtimeMs}\n`;
    const names = (await readdir(path)).filter((name) => !name.startsWith('.')).sort();
    return (await Promise.all(names.map((name) => signatureOf(join(path, name), skip)))).join('');
  } catch {
    return `${path} unreadable\n`;
  }
}

function unknown(message: string, known: readonly string[]): InputError {
  const problem: Problem = {
    reason: 'UnknownName',
    message,
    expected: `one of ${known.toSorted().join(', ') || '(there are none)'}`,
  };
  return new InputError([problem]);
}
