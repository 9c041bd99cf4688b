import { link, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readBounded } from '../../../runtime/bounded-file.ts';
import { type Clock, sleep } from '../../../runtime/clock.ts';
import { replaceFile } from '../../../runtime/kept-file.ts';
import { badRun } from './reasons.ts';

/** Who holds the folder of documents. */
export interface LockOwner {
  readonly by: string;
  readonly host: string;
  readonly pid: number;
  /** What tells this process from a later one with its number: the start of the machine and of the process. */
  readonly process: string;
  readonly sinceMs: number;
}

interface LockFile extends LockOwner {
  /** Counts while the owner lives: who cannot see the process watches this number. */
  readonly beat: number;
  readonly released: boolean;
}

/** What is asked about processes of this machine. */
export interface Processes {
  readonly here: { readonly host: string; readonly pid: number };
  /** Undefined when there is no such process. */
  readonly identityOf: (pid: number) => Promise<string | undefined>;
}

const runsFolder = 'runs';
const beatMs = 5000;
/** An owner on another machine that lets so many beats pass is gone. */
const silentMs = 6 * beatMs;
const mostBytes = 65_536;

/**
 * One person at a time runs something in a folder of documents, also where several machines share it. Locks are numbered files, and the highest one
 * counts: who follows a dead owner makes the next number by link(2), which exactly one can. A released lock stays as a file, so that no number
 * comes twice.
 */
export class FolderLock {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #number: number;
  #file: LockFile;
  /** When the last beat was written. */
  #beatAtMs: number;
  #timer: ReturnType<Clock['setTimeout']> | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(folder: string, clock: Clock, number: number, file: LockFile) {
    this.#folder = folder;
    this.#clock = clock;
    this.#number = number;
    this.#file = file;
    this.#beatAtMs = clock.monotonic();
  }

  /** Throws RunLocked, with who holds it, while a living process does. Of another machine's process that takes half a minute to find out. */
  static async take(folder: string, by: string, clock: Clock, processes: Processes): Promise<FolderLock> {
    const locks = join(folder, runsFolder);
    await mkdir(locks, { recursive: true, mode: 0o700 });
    const { host, pid } = processes.here;
    const own: LockFile = {
      by,
      host,
      pid,
      process: (await processes.identityOf(pid)) ?? '',
      sinceMs: clock.now(),
      beat: 0,
      released: false,
    };
    for (;;) {
      const highest = (await numbersOf(locks)).at(-1);
      const held = highest === undefined ? undefined : await readLock(locks, highest);
      if (highest !== undefined && held !== undefined && (await lives(held, locks, highest, clock, processes)))
        throw lockedBy(held);
      const number = (highest ?? 0) + 1;
      if (!(await linked(locks, number, own))) continue;
      // Somebody who read before us may have gone further meanwhile.
      if ((await numbersOf(locks)).at(-1) !== number) {
        await rm(lockPath(locks, number), { force: true });
        continue;
      }
      for (const old of (await numbersOf(locks)).filter((one) => one < number))
        await rm(lockPath(locks, old), { force: true });
      const lock = new FolderLock(locks, clock, number, own);
      lock.#beatSoon();
      return lock;
    }
  }

  /** Whether nobody has taken it over, e.g. while this machine was suspended, or may do so because no beat could be written for a while. */
  async isHeld(): Promise<boolean> {
    return this.#clock.monotonic() - this.#beatAtMs < silentMs && (await this.#isLast());
  }

  async #isLast(): Promise<boolean> {
    return (await numbersOf(this.#folder)).at(-1) === this.#number;
  }

  async release(): Promise<void> {
    this.#timer?.cancel();
    await this.#writing;
    // The beat that was being written may have set it again.
    this.#timer?.cancel();
    if (await this.#isLast()) await this.#write({ ...this.#file, released: true });
  }

  #beatSoon(): void {
    this.#timer = this.#clock.setTimeout(() => {
      // A beat that cannot be written, as on a full disk, is tried again.
      this.#writing = this.#beat().catch(() => this.#beatSoon());
    }, beatMs);
  }

  async #beat(): Promise<void> {
    if (!(await this.#isLast())) return;
    await this.#write({ ...this.#file, beat: this.#file.beat + 1 });
    this.#beatAtMs = this.#clock.monotonic();
    this.#beatSoon();
  }

  async #write(file: LockFile): Promise<void> {
    this.#file = file;
    await replaceFile(lockPath(this.#folder, this.#number), JSON.stringify(file));
  }
}

/** Who holds the lock of a folder of documents; undefined when nobody does, as far as processes of this machine can tell. */
export async function lockOwner(folder: string, { here, identityOf }: Processes): Promise<LockOwner | undefined> {
  const locks = join(folder, runsFolder);
  const highest = (await numbersOf(locks)).at(-1);
  const file = highest === undefined ? undefined : await readLock(locks, highest);
  if (file === undefined || file.released) return undefined;
  if (!(await isOfHere(file, { here, identityOf }))) return file;
  return (await identityOf(file.pid)) === file.process ? file : undefined;
}

function lockedBy({ by, host, pid, sinceMs }: LockOwner) {
  const since = new Date(sinceMs).toISOString();
  return badRun(
    'RunLocked',
    `${by} on ${host} (process ${pid}) has held this folder since ${since}`,
    'wait until that run has ended, or end it: a run that was ended can be gone on with by anybody',
  );
}

async function lives(
  held: LockFile,
  locks: string,
  number: number,
  clock: Clock,
  processes: Processes,
): Promise<boolean> {
  if (held.released) return false;
  const { identityOf } = processes;
  if (await isOfHere(held, processes)) return (await identityOf(held.pid)) === held.process;
  await sleep(clock, silentMs);
  const later = await readLock(locks, number);
  return later !== undefined && later.beat !== held.beat && !later.released;
}

/** Machines may share a name, so that the start of the machine, which an identity begins with, must be the same as well. */
async function isOfHere({ host, process: identity }: LockFile, { here, identityOf }: Processes): Promise<boolean> {
  if (host !== here.host) return false;
  const [boot] = identity.split(' ');
  return boot === (await identityOf(here.pid))?.split(' ')[0];
}

/** Makes the file with its text in one act; false when somebody else was faster. */
async function linked(locks: string, number: number, file: LockFile): Promise<boolean> {
  const temporary = join(locks, `lock.${file.pid}.${Math.random().toString(36).slice(2)}`);
  await writeFile(temporary, JSON.stringify(file), { mode: 0o600, flush: true });
  try {
    await link(temporary, lockPath(locks, number));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  } finally {
    await rm(temporary, { force: true });
  }
}

function lockPath(locks: string, number: number): string {
  return join(locks, `lock-${number}`);
}

/** From the lowest to the highest. */
async function numbersOf(locks: string): Promise<readonly number[]> {
  const names = await readdir(locks).catch(() => []);
  return names
    .filter((name) => /^lock-\d{1,12}$/.test(name))
    .map((name) => Number(name.slice('lock-'.length)))
    .toSorted((a, b) => a - b);
}

/** Undefined when it is gone; what is no lock of ours counts as held by nobody who could be found. */
async function readLock(locks: string, number: number): Promise<LockFile | undefined> {
  try {
    return JSON.parse((await readBounded(lockPath(locks, number), mostBytes)).toString());
  } catch {
    return undefined;
  }
}
