import { createHash } from 'node:crypto';
import { access, readFile, realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { InputError } from '../../src/model/problem.ts';

/** The Salt that `make salt` installed. */
interface Installation {
  readonly folder: string;
  /** The Python of the virtual environment, which can import `salt`. */
  readonly python: string;
  readonly saltCall: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Debian's own Python: `python3` on the PATH may be another one, without the headers that timelib is compiled with. */
export const systemPython = '/usr/bin/python3';

const repository = join(import.meta.dirname, '../..');
/** In the order in which they are installed. */
export const locks = ['salt/build.lock', 'salt/requirements.lock'].map((file) => join(repository, file));

/** The file that an installation writes last: a folder without it is not complete. */
export const completeFile = 'complete';

/** The folder that holds one folder for each installation, named by its key. */
export function installationsFolder(environment: Environment): string {
  const cache = environment['XDG_CACHE_HOME'];
  return join(cache === undefined || cache === '' ? join(homedir(), '.cache') : cache, 'tideline', 'salt');
}

/** A key of what is locked, of the Python that it is installed for, and of the processor. */
export async function installationKey(): Promise<string> {
  const hash = createHash('sha256');
  for (const lock of locks) hash.update(await readFile(lock)).update('\0');
  const python = basename(await realpath(systemPython).catch(() => 'python'));
  return `${hash.digest('hex').slice(0, 16)}-${python}-${process.arch}`;
}

export async function isComplete(folder: string): Promise<boolean> {
  return await access(join(folder, completeFile)).then(
    () => true,
    () => false,
  );
}

/** Finds the installation of the present lock files. Throws an InputError that says what to run when there is none. */
export async function findSalt(environment: Environment): Promise<Installation> {
  const installations = installationsFolder(environment);
  const folder = join(installations, await installationKey());
  if (!(await isComplete(folder))) {
    throw new InputError([
      {
        reason: 'NoSalt',
        message: `the Salt of salt/requirements.lock is not in ${installations}`,
        fix: 'run: make salt',
      },
    ]);
  }
  return { folder, python: join(folder, 'bin/python'), saltCall: join(folder, 'bin/salt-call') };
}
