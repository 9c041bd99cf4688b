import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { SpecDocument } from '../model/spec/document.ts';
import type { Platform } from '../model/spec/platform.ts';
import { messageOf } from '../model/values.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { Loop } from '../runtime/loop.ts';
import { Signal, type Unsubscribe } from '../runtime/signal.ts';
import { byKey } from './admit.ts';
import { composePlatform, type InForce } from './compose.ts';
import type { FolderCopy } from './folder-copy.ts';
import { limits } from './limits.ts';
import { readDocumentsOrThrow } from './load.ts';
import type { PlatformReason } from './reasons.ts';
import { keyOf, type SpecApi, type Verdict } from './spec-api.ts';

export interface PlatformStatus {
  readonly phase: 'current' | 'invalid';
  readonly reason?: PlatformReason;
  readonly message?: string;
}

export interface PlatformWatchOptions<View> {
  /** The file or folder of the platform spec; without one all of it stands in APIs. */
  readonly path?: string | undefined;
  /** Where what the folder said last outlives the agent. */
  readonly copy?: FolderCopy;
  /**
   * Takes from a platform the parts that the caller needs. When it throws an InputError because one is missing, the
   * platform counts as invalid.
   */
  readonly view: (platform: Platform) => View;
  readonly clock: Clock;
  readonly log: Log;
  readonly intervalMs: number;
}

/** The API of a cluster as a source of the spec, which is followed by somebody else. */
export interface SpecApiSource {
  /** What it says; while it cannot be read, what it said last. */
  current(): SpecApi;
  /** What of it was in force when an earlier agent ended, by `Kind/name`. */
  readonly before: InForce;
  /** What keeps it from being read, as a clause. */
  trouble(): string | undefined;
  /** Calls the listener after `current` or `trouble` changed. */
  onChange(listener: () => void): Unsubscribe;
}

/** A file that has not changed for this long counts as saved. */
const restMs = 100;

/**
 * The platform spec as it changes on disk, and in the APIs of clusters that are attached. Its files are looked at every `intervalMs`, and read again when one has changed and all
 * are at rest: half of a spec that is being saved is often a valid spec. An edit that does not load, or lacks what the caller
 * needs, changes nothing but the status: the last good spec stays in force.
 */
export class PlatformWatch<View> {
  readonly #options: PlatformWatchOptions<View>;
  readonly #loop: Loop;
  readonly #changes: Signal<void>;
  readonly #apis: SpecApiSource[] = [];
  /** Resolves when there is a platform, or when nobody waits for one any more. */
  readonly #ready = Promise.withResolvers<void>();
  #here: string | undefined;
  #documents: readonly SpecDocument[] = [];
  #inForce: InForce = new Map();
  #verdicts: readonly Verdict[] = [];
  #current: { readonly platform: Platform; readonly view: View } | undefined;
  #status: PlatformStatus = { phase: 'current' };
  /** What an API made invalid; the folder has its own status. */
  #apiStatus: PlatformStatus | undefined;
  #signature = '';
  /** The signature that the last check found and did not trust yet. */
  #seen: string | undefined;
  #stopped = false;
  #keeping: Promise<void> = Promise.resolve();

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

  /**
   * Loads the spec for the first time. Where that of the folder is bad, or lacks what the caller needs, the last good one on disk stays in
   * force, as it would without a restart; this throws an InputError when there is none. Without a folder this waits until the APIs, or what they said last, give what the caller needs, and the status says so meanwhile; it also
   * resolves when the watch is stopped.
   */
  async start(): Promise<void> {
    const { path } = this.#options;
    if (path === undefined) {
      this.#composeAgain();
      return this.#ready.promise;
    }
    this.#inForce = byKey((await this.#options.copy?.read(resolve(path))) ?? []);
    try {
      this.#adopt(await this.#load(path));
      this.#signature = await this.#readSignature();
      this.#keeping = this.#keepFolder();
    } catch (error) {
      if (!(await this.#adoptCopy(path))) throw error;
      this.#noteBadFolder(messageOf(error));
    }
    this.#loop.triggerIn(this.#options.intervalMs);
  }

  /**
   * Takes APIs as further sources for an agent of the cluster `here`; what was in force of them when an earlier agent ended is in force
   * at once. Called once: after the start where there is a folder, and before it where there is none.
   */
  follow(apis: readonly SpecApiSource[], here: string | undefined): void {
    this.#here = here;
    this.#apis.push(...apis);
    this.#inForce = new Map([...this.#inForce, ...apis.flatMap(({ before }) => [...before])]);
    for (const api of apis) api.onChange(() => this.#composeAgain());
    if (this.#current !== undefined) this.#composeAgain();
  }

  /** Whether there is a platform. */
  get started(): boolean {
    return this.#current !== undefined;
  }

  /** What became of each object of the APIs. */
  verdicts(): readonly Verdict[] {
    return this.#verdicts;
  }

  /** The documents that are in force, whichever source they come from. */
  inForce(): InForce {
    return this.#inForce;
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
    return this.#apiStatus !== undefined && this.#status.phase === 'current' ? this.#apiStatus : this.#status;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#ready.resolve();
    await this.#loop.stop();
    await this.#keeping;
  }

  /** Resolves with false when files are being written, so that it must run again soon. */
  async #reloadIfChanged(): Promise<boolean> {
    const signature = await this.#readSignature();
    if (this.#stopped || signature === this.#signature) return true;
    const atRest = this.#seen === signature;
    this.#seen = signature;
    if (!atRest) return false;
    const [loaded] = await Promise.allSettled([this.#load(this.#options.path ?? '')]);
    if ((await this.#readSignature()) !== signature) return false;
    this.#signature = signature;
    try {
      if (loaded.status === 'rejected') throw loaded.reason;
      this.#adopt(loaded.value);
      this.#status = { phase: 'current' };
      this.#options.log.info({}, 'platform read again');
      this.#keeping = this.#keepFolder();
    } catch (error) {
      this.#noteBadFolder(messageOf(error));
    }
    this.#changes.emit();
    return true;
  }

  #noteBadFolder(message: string): void {
    this.#status = { phase: 'invalid', reason: 'PlatformInvalid', message };
    this.#options.log.error({ ...this.#status }, 'platform does not load, the last good one stays');
  }

  async #keepFolder(): Promise<void> {
    const { copy, path } = this.#options;
    if (path === undefined) return;
    const inForce = (document: SpecDocument): SpecDocument => ({
      ...document,
      value: this.#inForce.get(keyOf(document) ?? '')?.value ?? document.value,
    });
    await copy?.write(resolve(path), this.#documents.map(inForce));
  }

  /** Takes the last good folder from disk; false when there is none, or none that the caller can use. */
  async #adoptCopy(path: string): Promise<boolean> {
    const kept = await this.#options.copy?.read(resolve(path));
    if (kept === undefined) return false;
    try {
      this.#adopt(kept);
      return true;
    } catch {
      return false;
    }
  }

  #load(path: string): Promise<readonly SpecDocument[]> {
    return readDocumentsOrThrow([path], this.#options.clock.now());
  }

  /** Throws an InputError when the documents of the folder, with what the APIs say, give nothing that can be in force. */
  #adopt(folder: readonly SpecDocument[]): void {
    const { clock, view } = this.#options;
    const apis = this.#apis.map((api) => api.current());
    const composed = composePlatform({
      folder,
      apis,
      inForce: this.#inForce,
      here: this.#here,
      nowMs: clock.now(),
    });
    this.#current = { platform: composed.platform, view: view(composed.platform) };
    this.#documents = folder;
    this.#inForce = composed.inForce;
    this.#apiStatus = undefined;
    this.#noteVerdicts(composed.verdicts);
    this.#ready.resolve();
  }

  #composeAgain(): void {
    if (this.#stopped) return;
    try {
      this.#adopt(this.#documents);
    } catch (error) {
      this.#noteInvalid(messageOf(error));
    }
    this.#changes.emit();
  }

  #noteInvalid(problem: string): void {
    const { log } = this.#options;
    if (this.#current !== undefined) {
      this.#apiStatus = { phase: 'invalid', reason: 'PlatformInvalid', message: problem };
      log.error({ ...this.#apiStatus }, 'platform does not go together, the last good one stays');
      return;
    }
    const message = [problem, ...this.#apis.flatMap((api) => api.trouble() ?? [])].join('; ');
    if (this.#apiStatus?.message === message) return;
    this.#apiStatus = { phase: 'invalid', reason: 'PlatformMissing', message };
    log.error({ ...this.#apiStatus }, 'there is no platform spec yet; the agent waits for one');
  }

  #noteVerdicts(verdicts: readonly Verdict[]): void {
    const told = new Set(this.#verdicts.map(textOf));
    for (const verdict of verdicts)
      if (verdict.reason !== 'InForce' && !told.has(textOf(verdict)))
        this.#options.log.warn({ ...verdict }, 'an object of the platform spec is not in force as it stands there');
    this.#verdicts = verdicts;
  }

  /** Names, sizes and times of the spec's files, without those in the manifest folder of a cluster, which are not the spec. */
  async #readSignature(): Promise<string> {
    const { platform } = this.#current ?? {};
    const manifests = [...(platform?.clusters ?? [])].flatMap(([name, { spec }]) =>
      'manifests' in spec.source ? [resolve(platform?.folderOf(name) ?? '', spec.source.manifests)] : [],
    );
    return signatureOf(resolve(this.#options.path ?? ''), new Set(manifests), { folders: new Set(), entries: 0 });
  }
}

function textOf({ place, kind, name, reason, message }: Verdict): string {
  return `${place} ${kind}/${name} ${reason} ${message}`;
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
