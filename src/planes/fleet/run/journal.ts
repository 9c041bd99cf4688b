import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { compareText, messageOf } from '../../../model/values.ts';
import { readBounded } from '../../../runtime/bounded-file.ts';
import type { StepFault } from './handlers.ts';
import { badRun } from './reasons.ts';
import type { Run } from './steps.ts';

/** What happened in a run, one JSON object a line. Each line is on the disk before anything further is done. */
export type JournalLine = { readonly atMs: number } & (
  | {
      readonly what: 'planned';
      readonly run: Run;
      /** The checksum of the documents as the spec makes them, without certificates. */
      readonly documents: string;
      readonly by: string;
    }
  | { readonly what: 'begun' | 'ended'; readonly step: number }
  | { readonly what: 'failed'; readonly step: number; readonly faults: readonly StepFault[] }
  | { readonly what: 'resumed'; readonly by: string }
  | { readonly what: 'stopped'; readonly why: string }
  | { readonly what: 'superseded'; readonly run: string }
  | { readonly what: 'finished' }
);

type WithoutTime<T> = T extends unknown ? Omit<T, 'atMs'> : never;
/** What `append` takes: the time is added. */
export type JournalEvent = WithoutTime<JournalLine>;

/** A run as its journal tells it. */
export interface KnownRun {
  readonly id: string;
  readonly run: Run;
  readonly documents: string;
  readonly by: string;
  readonly startedMs: number;
  /** When the last line was written. */
  readonly lastMs: number;
  /** So many steps, from the first on, have ended well. */
  readonly done: number;
  readonly state: 'unfinished' | 'failed' | 'stopped' | 'finished' | 'superseded';
  /** Why it failed or stopped. */
  readonly faults: readonly StepFault[];
}

const runsFolder = 'runs';
const mostBytes = 64 * 2 ** 20;
/** Journals that are kept; older ones of runs that are over are removed when a new one begins. */
const mostRuns = 200;
const mostFaults = 50;
const mostMessage = 500;

/** The journal of one run, open to be written. */
export class RunJournal {
  readonly #handle: FileHandle;
  readonly #nowMs: () => number;
  #bytes: number;

  private constructor(handle: FileHandle, bytes: number, nowMs: () => number) {
    this.#handle = handle;
    this.#bytes = bytes;
    this.#nowMs = nowMs;
  }

  /** Opens the journal of a run, a new one or an old one; the torn end of a line that a crash left is cut off. */
  static async open(folder: string, id: string, nowMs: () => number): Promise<RunJournal> {
    const path = join(folder, runsFolder, `${id}.jsonl`);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const handle = await open(path, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, 0o600);
    try {
      const text = await readBounded(path, mostBytes);
      const whole = text.lastIndexOf(0x0a) + 1;
      if (whole < text.length) await handle.truncate(whole);
      await syncFolder(dirname(path));
      return new RunJournal(handle, whole, nowMs);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Resolves when the line is on the disk. */
  async append(event: JournalEvent): Promise<void> {
    const line = `${JSON.stringify({ atMs: this.#nowMs(), ...bounded(event) })}\n`;
    this.#bytes += Buffer.byteLength(line);
    if (this.#bytes > mostBytes)
      throw badRun('RunUnreadable', 'the journal of this run is full', 'plan anew, which begins another one');
    await this.#handle.appendFile(line);
    await this.#handle.datasync();
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/** The runs of a folder of documents, the newest first. A journal that cannot be read is left out unless it is the newest, which is an InputError. */
export async function readRuns(folder: string): Promise<readonly KnownRun[]> {
  const ids = await idsOf(folder);
  const runs: KnownRun[] = [];
  for (const [index, id] of ids.entries()) {
    const known = await readRun(folder, id).catch((error: unknown) => {
      if (index > 0) return undefined;
      throw badRun(
        'RunUnreadable',
        `${join(folder, runsFolder, id)}.jsonl: ${messageOf(error)}`,
        'move the file away if nothing of that run is to be gone on with',
      );
    });
    if (known !== undefined) runs.push(known);
  }
  return runs;
}

/** Removes the oldest journals of too many. */
export async function forgetOldRuns(folder: string): Promise<void> {
  for (const id of (await idsOf(folder)).slice(mostRuns))
    await rm(join(folder, runsFolder, `${id}.jsonl`), { force: true });
}

/** A name that sorts by time, and tells which checksum the run was agreed to by. */
export function runId(checksum: string, nowMs: number): string {
  return `${new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, '')}-${checksum}`;
}

async function idsOf(folder: string): Promise<readonly string[]> {
  const names = await readdir(join(folder, runsFolder)).catch(() => []);
  return names
    .filter((name) => /^\d{8}T\d{6}Z-[0-9a-f]{16}\.jsonl$/.test(name))
    .map((name) => name.replace(/\.jsonl$/, ''))
    .toSorted((a, b) => compareText(b, a));
}

/** Undefined for a journal that a crash left before its first line was whole: nothing was begun. */
async function readRun(folder: string, id: string): Promise<KnownRun | undefined> {
  const text = (await readBounded(join(folder, runsFolder, `${id}.jsonl`), mostBytes)).toString();
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return knownRun(
    id,
    lines.filter((line) => line !== '').map((line): JournalLine => JSON.parse(line)),
  );
}

function knownRun(id: string, lines: readonly JournalLine[]): KnownRun | undefined {
  const [first] = lines;
  if (first === undefined) return undefined;
  if (first.what !== 'planned' || first.run.format !== 1)
    throw new Error('is no journal that this version of Tideline can read');
  const last = lines.findLast(({ what }) => what !== 'begun' && what !== 'ended' && what !== 'planned');
  const running = lines.findLastIndex(({ what }) => what === 'begun' || what === 'ended' || what === 'resumed');
  const isOver = last !== undefined && lines.indexOf(last) >= running && last.what !== 'resumed';
  return {
    id,
    run: first.run,
    documents: first.documents,
    by: first.by,
    startedMs: first.atMs,
    lastMs: lines.at(-1)?.atMs ?? first.atMs,
    done: doneIn(lines),
    state: isOver ? stateOf(last) : 'unfinished',
    faults: isOver ? faultsOf(last) : [],
  };
}

/** The first step without an end: a step that was done again has two. */
function doneIn(lines: readonly JournalLine[]): number {
  const ended = new Set(lines.flatMap((line) => (line.what === 'ended' ? [line.step] : [])));
  let done = 0;
  while (ended.has(done)) done += 1;
  return done;
}

function stateOf({ what }: JournalLine): KnownRun['state'] {
  return what === 'failed' || what === 'stopped' || what === 'finished' || what === 'superseded' ? what : 'unfinished';
}

function faultsOf(line: JournalLine): readonly StepFault[] {
  if (line.what === 'failed') return line.faults;
  return line.what === 'stopped' ? [{ message: line.why }] : [];
}

/** What servers say is other people's text of any length. */
function bounded(event: JournalEvent): JournalEvent {
  if (event.what !== 'failed') return event;
  const faults = event.faults.slice(0, mostFaults);
  return { ...event, faults: faults.map((fault) => ({ ...fault, message: fault.message.slice(0, mostMessage) })) };
}

/** A file that is new is only there after a power cut when its folder is synced as well. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
