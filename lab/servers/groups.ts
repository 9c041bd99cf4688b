import { access, mkdir, readdir, readFile, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const mounts = '/sys/fs/cgroup';
const prefix = 'tideline-server-';
/** A group is empty between its making and the start of its server, which follows at once. */
const youngMs = 60_000;

/**
 * Makes control groups with this name below those of this process, one in each hierarchy of cgroup v1 and in cgroup v2, and
 * resolves with their folders. Removes what servers left whose owner was killed: the kernel ends everything else, but never removes
 * an empty control group.
 */
export async function makeGroups(name: string): Promise<readonly string[]> {
  const parents = await ownGroups();
  await Promise.all(parents.map(removeAbandoned));
  const groups = parents.map((parent) => join(parent, `${prefix}${name}`));
  for (const [index, group] of groups.entries()) {
    await mkdir(group, { recursive: true });
    await inheritSets(parents[index] ?? '', group);
  }
  return groups;
}

/** Removes the groups with all groups in them, as soon as their last process is gone. Never rejects. */
export async function removeGroups(groups: readonly string[]): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const removed = await Promise.all(groups.map(removeTree));
    if (removed.every(Boolean)) break;
    await delay(100);
  }
  await Promise.all(groups.map((group) => removeEmptyAbove(group)));
}

/** Groups that were made on the way to this one. The kernel refuses to remove one with a process or a group in it. */
async function removeEmptyAbove(group: string): Promise<void> {
  let above = dirname(group);
  while (dirname(above) !== mounts && (await removedEmpty(above))) above = dirname(above);
}

async function removedEmpty(group: string): Promise<boolean> {
  return await rmdir(group).then(
    () => true,
    () => false,
  );
}

/** In cgroup v1 a new group has no processors and no memory nodes, and takes no process, until it is given some. */
async function inheritSets(parent: string, group: string): Promise<void> {
  for (const set of ['cpuset.cpus', 'cpuset.mems']) {
    const content = await readFile(join(parent, set), 'utf8').catch(() => undefined);
    if (content !== undefined && content.trim() !== '') await writeFile(join(group, set), content);
  }
}

/** The folder of this process's group in each hierarchy. */
async function ownGroups(): Promise<readonly string[]> {
  const folders: string[] = [];
  const lines = (await readFile('/proc/self/cgroup', 'utf8')).trim().split('\n');
  const unified = lines.find((line) => line.startsWith('0::'))?.slice('0::'.length);
  for (const line of lines) {
    const [, controllers = '', path = '/'] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const mount = await mountOf(controllers);
    // Where both are there, systemd-nspawn makes in its own hierarchy what it finds in cgroup v2: the server starts there at once.
    if (controllers === 'name=systemd' && unified !== undefined) folders.push(join(mount, unified));
    // Where a container shows only its own part of the hierarchy, the path is that of the machine.
    else folders.push((await exists(join(mount, path))) ? join(mount, path) : mount);
  }
  return folders;
}

async function mountOf(controllers: string): Promise<string> {
  if (controllers !== '') return join(mounts, controllers.replace(/^name=/, ''));
  const beside = join(mounts, 'unified');
  return (await exists(beside)) ? beside : mounts;
}

async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent).catch(() => [])) {
    if (!name.startsWith(prefix)) continue;
    const group = join(parent, name);
    const { mtimeMs } = await stat(group).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > youngMs) await removeTree(group);
  }
}

/** Resolves with whether the group is gone. A group with a process in it stays, as do those above it. */
async function removeTree(group: string): Promise<boolean> {
  try {
    for (const entry of await readdir(group, { withFileTypes: true }))
      if (entry.isDirectory()) await removeTree(join(group, entry.name));
    await rmdir(group);
    return true;
  } catch {
    return !(await exists(group));
  }
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
