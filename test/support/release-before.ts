import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');

/**
 * The release before: tests run its agents beside those of today. At a release put the commit here that was the release until then
 * (`git rev-parse COMMIT`); it must be in the history of this repository, and its agents must run with the npm packages of today.
 */
const releaseBefore = 'c150c9b0ab9e49a8fe0b95816698f9adb873d292';

/** Writes the release before into a new folder, with the packages of today by a link. Rejects where the clone lacks its history. */
export async function writeReleaseBefore(folder: string): Promise<void> {
  const git = ['-c', `safe.directory=${root}`, '-C', root];
  await run('git', [...git, 'cat-file', '-e', `${releaseBefore}^{commit}`]).catch((cause: unknown) => {
    const fix =
      'fetch the whole history (git fetch --unshallow), or move releaseBefore in test/support/release-before.ts';
    throw new Error(`the release before, ${releaseBefore}, is not in this clone: ${fix}`, { cause });
  });
  await mkdir(folder, { recursive: true });
  const archive = spawn('git', [...git, 'archive', releaseBefore, 'src', 'lab', 'package.json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const unpack = spawn('tar', ['-x', '-C', folder], { stdio: [archive.stdout, 'inherit', 'inherit'] });
  const codes = await Promise.all(
    [archive, unpack].map(async (child) => (await once(child, 'exit')) as [number | null]),
  );
  if (codes.some(([code]) => code !== 0)) throw new Error(`the release before could not be written to ${folder}`);
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
}
