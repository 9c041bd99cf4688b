import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { readBounded, UnreadableFile } from '../../../runtime/bounded-file.ts';
import type { Step } from '../forecast/history.ts';
import { lineOf, type ReadSteps, stepsOfLines } from './lines.ts';

/** Fifteen whole days and the one that has begun. */
const keptDays = 16;
/** A day of 300 places with all digits is 1.3 MB; so 32 MiB are the most that a history takes. */
const mostBytesOfDay = 2 << 20;

/**
 * Appends a step to a history, which is a folder with a file for each day (UTC), and resolves when it is on disk. One process writes, one step after
 * the other. A step of the same five minutes as one before counts in its place; one of any other time is kept as well, so that a clock that was
 * wrong for a while costs nothing. The oldest days beyond sixteen are deleted. Rejects with UnreadableFile, or with the error of the system.
 */
export async function appendStep(folder: string, step: Step): Promise<void> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${new Date(step.atMs).toISOString().slice(0, 10)}.jsonl`);
  // A FIFO without a reader is refused by this flag instead of holding a thread.
  const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;
  const handle = await open(path, flags, 0o640);
  let isNew: boolean;
  try {
    const { size } = await sizeOf(handle);
    isNew = size === 0;
    // The end of a line that was cut must not take the next line with it.
    await handle.appendFile(`${(await endsWhole(handle, size)) ? '' : '\n'}${lineOf(step)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  if (isNew) await keepNewest(folder);
}

async function sizeOf(handle: FileHandle): Promise<{ readonly size: number }> {
  const found = await handle.stat();
  if (!found.isFile()) throw new UnreadableFile('NotAFile', 'is no regular file');
  if (found.size >= mostBytesOfDay)
    throw new UnreadableFile(
      'FileTooLarge',
      `has ${found.size} bytes, and a day of a history has at most ${mostBytesOfDay}`,
    );
  return found;
}

async function endsWhole(handle: FileHandle, size: number): Promise<boolean> {
  if (size === 0) return true;
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer.toString() === '\n';
}

/** Also makes the name of a new file outlive a power cut. */
async function keepNewest(folder: string): Promise<void> {
  const names = await dayFiles(folder);
  for (const name of names.slice(0, -keptDays)) await unlink(join(folder, name));
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function dayFiles(folder: string): Promise<readonly string[]> {
  return (await readdir(folder)).filter((name) => /^\d{4}-\d{2}-\d{2}\.jsonl$/.test(name)).toSorted();
}

/** What `appendStep` wrote, the oldest day first. Rejects with UnreadableFile, or with the error of the system. */
export async function readHistory(folder: string): Promise<ReadSteps> {
  const read: ReadSteps[] = [];
  // One line may have been appended to a file that was all but full.
  for (const name of (await dayFiles(folder)).slice(-keptDays))
    read.push(stepsOfLines((await readBounded(join(folder, name), 2 * mostBytesOfDay)).toString('utf8')));
  return { steps: read.flatMap(({ steps }) => steps), damaged: read.reduce((sum, { damaged }) => sum + damaged, 0) };
}
