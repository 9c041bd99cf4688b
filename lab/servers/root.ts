import { createHash } from 'node:crypto';
import { access, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { InputError } from '../../src/model/problem.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The Debian release of every server. */
export const release = 'bookworm';

/** The folder of what the root filesystem is made from. */
export const sources = join(import.meta.dirname, '../../tools/servers');

const inputs = ['packages.txt', 'cgroups.service', 'debian.ts'];

/** The folder that holds one root filesystem for each key. */
export function rootsFolder(environment: Environment): string {
  const cache = environment['XDG_CACHE_HOME'];
  return join(cache === undefined || cache === '' ? join(homedir(), '.cache') : cache, 'tideline', 'servers');
}

/** A key of the release, the list of packages and the program that installs them: another input gives another key. */
export async function rootKey(folder = sources): Promise<string> {
  const hash = createHash('sha256').update(release);
  for (const file of inputs) {
    const content = await readFile(join(folder, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return `${release}-${hash.digest('hex').slice(0, 16)}-${process.arch}`;
}

/** Finds the root filesystem of the present sources. Throws an InputError that says what to run when there is none. */
export async function findRoot(environment: Environment): Promise<string> {
  const folder = rootsFolder(environment);
  const root = join(folder, await rootKey());
  const missing = await access(root).then(
    () => false,
    () => true,
  );
  if (!missing) return root;
  throw new InputError([
    {
      reason: 'NoServerRoot',
      message: `the root filesystem of the lab's servers is not in ${folder}, or is that of an older list of packages`,
      fix: 'run: make servers',
    },
  ]);
}
