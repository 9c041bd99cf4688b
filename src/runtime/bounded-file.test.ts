import { mkdtemp, open, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { readBounded } from './bounded-file.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bounded-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true, force: true });
});

/** Lets something happen to a file between the question for its length and the first read. */
async function afterItsLengthIsKnown(file: string, act: () => Promise<void>): Promise<void> {
  const handle = await open(file);
  const kind: Pick<typeof handle, 'stat'> = Object.getPrototypeOf(handle);
  await handle.close();
  const { stat } = kind;
  vi.spyOn(kind, 'stat').mockImplementationOnce(async function asked(this: typeof handle) {
    const found = await stat.call(this);
    await act();
    return found;
  } as typeof stat);
}

it('reads what a file still has that is cut while it is read, and what it had when it grows', async () => {
  const file = join(folder, 'file');
  await writeFile(file, 'a: 1\nb: 2\n');
  await afterItsLengthIsKnown(file, () => truncate(file, 5));
  expect((await readBounded(file, 100)).toString()).toBe('a: 1\n');
  await afterItsLengthIsKnown(file, () => writeFile(file, 'a: 1\nc: 3\n'));
  expect((await readBounded(file, 100)).toString()).toBe('a: 1\n');
  expect((await readBounded(file, 100)).toString()).toBe('a: 1\nc: 3\n');
});

it('reads a file of exactly as many bytes as it may have, and none with one more', async () => {
  const file = join(folder, 'file');
  await writeFile(file, '0123456789');
  expect((await readBounded(file, 10)).toString()).toBe('0123456789');
  await expect(readBounded(file, 9)).rejects.toMatchObject({
    reason: 'FileTooLarge',
    message: 'has 10 bytes, and at most 9 are read',
  });
  await expect(readBounded(folder, 100)).rejects.toMatchObject({ reason: 'NotAFile' });
});
