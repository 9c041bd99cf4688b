import { readFileSync } from 'node:fs';
import { access, mkdir, readdir, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Measures the processor time of one command and of all that it starts. */
export interface Meter {
  /** The words to put before the command. */
  readonly enter: readonly string[];
  /**
   * The user and system time in seconds, once the command has ended. Without a control group it is `ofWaitedFor`, the time of
   * waited-for children.
   */
  end(ofWaitedFor: number): Promise<number>;
}

const prefix = 'tideline-test-';
let meters = 0;

/**
 * Makes a meter. A control group of its own also counts daemons that outlive their parents. Without one (not root, no cgroup v2)
 * only processes count whose parent waited for them.
 */
export async function newMeter(): Promise<Meter> {
  meters += 1;
  const number = meters;
  try {
    const own = await ownGroup();
    if (number === 1) await removeAbandoned(own);
    const group = join(own, `${prefix}${process.pid}-${number}`);
    await mkdir(group);
    return {
      enter: ['sh', '-c', 'echo 0 >"$0/cgroup.procs" && exec "$@"', group],
      async end() {
        const usage = /^usage_usec (\d+)$/m.exec(await readFile(join(group, 'cpu.stat'), 'utf8'))?.[1];
        await remove(group);
        return Number(usage) / 1e6;
      },
    };
  } catch {
    return { enter: [], end: (ofWaitedFor) => Promise.resolve(ofWaitedFor) };
  }
}

/** The folder of this process's cgroup v2. */
async function ownGroup(): Promise<string> {
  const mounts = await readFile('/proc/self/mounts', 'utf8');
  const at = /^\S+ (\S+) cgroup2 /m.exec(mounts)?.[1];
  const path = /^0::(.*)$/m.exec(await readFile('/proc/self/cgroup', 'utf8'))?.[1];
  if (at === undefined || path === undefined) throw new Error('no cgroup v2 is mounted');
  return join(at, path);
}

/** Removes the groups that a killed runner left; they are soon empty. */
async function removeAbandoned(own: string): Promise<void> {
  for (const name of await readdir(own)) {
    const runner = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
    if (runner === undefined || (await exists(`/proc/${runner}`))) continue;
    await remove(join(own, name));
  }
}

/**
 * Removes a group, those inside it first. A group whose processes are still dying cannot be removed yet; one that stays is
 * empty and does no harm.
 */
async function remove(group: string): Promise<void> {
  for (const entry of await readdir(group, { withFileTypes: true }))
    if (entry.isDirectory()) await remove(join(group, entry.name));
  for (let tries = 0; tries < 20; tries += 1) {
    const gone = await rmdir(group).then(
      () => true,
      () => false,
    );
    if (gone) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Linux shows the times of processes in hundredths of a second, whatever its own tick is. */
const ticksASecond = 100;

/** The user and system time of all our ended children, and of the descendants that these waited for. */
export function secondsOfEndedChildren(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  // The name of the program, in brackets, may hold blanks. `cutime` and `cstime` are the fields 16 and 17 of proc_pid_stat(5).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) / ticksASecond;
}

export interface ProcessorTime {
  readonly totalSeconds: number;
  readonly idleSeconds: number;
}

/** The time of all processors of the machine since it started, whoever used them. */
export async function machineTime(): Promise<ProcessorTime> {
  const line = /^cpu +(.*)$/m.exec(await readFile('/proc/stat', 'utf8'))?.[1] ?? '';
  // The fields are user nice system idle iowait irq softirq steal; user already includes the time of guests.
  const ticks = line.split(' ').slice(0, 8).map(Number);
  const [, , , idle = 0, waiting = 0] = ticks;
  const total = ticks.reduce((sum, some) => sum + some, 0);
  return { totalSeconds: total / ticksASecond, idleSeconds: (idle + waiting) / ticksASecond };
}

const lookMs = 3000;
const memoryOfOneBytes = 2 * 2 ** 30;

/**
 * Watches the machine for three seconds; true when a third of its processors idles and there is memory for a file with two
 * control planes.
 */
export async function machineIsIdle(): Promise<boolean> {
  const before = await machineTime();
  await new Promise((resolve) => setTimeout(resolve, lookMs));
  const after = await machineTime();
  const idle = (after.idleSeconds - before.idleSeconds) / (after.totalSeconds - before.totalSeconds);
  return idle > 1 / 3 && process.availableMemory() > memoryOfOneBytes;
}
