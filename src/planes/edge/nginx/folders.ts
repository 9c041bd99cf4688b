import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { InputError } from '../../../model/problem.ts';
import { messageOf } from '../../../model/values.ts';

/** Who the worker processes of nginx are, for the permissions of files. */
export interface WorkerUser {
  readonly name: string;
  readonly uid: number;
  readonly gids: readonly number[];
}

const run = promisify(execFile);

/**
 * The user of the workers. Only a master that is root changes to the user of `nginx.conf`; any other one keeps its own, which is the
 * caller's. Throws when there is no such user: nginx would not start.
 */
export async function workerUser(name: string): Promise<WorkerUser> {
  const uid = process.getuid?.() ?? 0;
  if (uid !== 0)
    return { name: `the user ${uid}`, uid, gids: [process.getgid?.() ?? uid, ...(process.getgroups?.() ?? [])] };
  try {
    const [user, groups] = await Promise.all([run('id', ['-u', name]), run('id', ['-G', name])]);
    return { name, uid: Number(user.stdout), gids: groups.stdout.trim().split(' ').map(Number) };
  } catch (error) {
    throw new InputError({
      reason: 'UnknownUser',
      path: '--user',
      message: `the user ${name} of the workers cannot be found: ${messageOf(error).trim()}`,
      fix: 'give --user a user of this server',
    });
  }
}

/**
 * The first folder on the way to `path` that the user may not enter, `path` itself included; undefined when there is none. What does
 * not exist is left out: it is made later. Access lists beyond the mode (ACLs) are not read.
 */
export async function closedFolder(path: string, user: WorkerUser): Promise<string | undefined> {
  if (user.uid === 0) return undefined;
  for (const folder of pathTo(path)) {
    const found = await stat(folder).catch(() => undefined);
    if (found !== undefined && !mayUse(found, user, 0o1)) return folder;
  }
  return undefined;
}

/** Whether the file is there and the user may not read it. */
export async function isUnreadable(file: string, user: WorkerUser): Promise<boolean> {
  const found = user.uid === 0 ? undefined : await stat(file).catch(() => undefined);
  return found !== undefined && !mayUse(found, user, 0o4);
}

/** Whether the user has the permission, 4 to read or 1 to enter, as the kernel decides: only the first class that fits counts. */
function mayUse(
  { mode, uid, gid }: { readonly mode: number; readonly uid: number; readonly gid: number },
  user: WorkerUser,
  permission: number,
): boolean {
  if (uid === user.uid) return ((mode >> 6) & permission) !== 0;
  if (user.gids.includes(gid)) return ((mode >> 3) & permission) !== 0;
  return (mode & permission) !== 0;
}

function pathTo(path: string): readonly string[] {
  const parent = dirname(path);
  return parent === path ? [path] : [...pathTo(parent), path];
}
