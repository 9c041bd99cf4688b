import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FakeClock } from '../../../../test/support/fake-clock.ts';
import { sleep, systemClock } from '../../../runtime/clock.ts';
import { FolderLock, lockOwner, type Processes } from './lock.ts';
import { processesHere } from './processes.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-lock-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Processes of one machine, of which these live. */
const machine = (host: string, pid: number, living: ReadonlySet<number>, boot = 'boot'): Processes => ({
  here: { host, pid },
  identityOf: async (asked) => (living.has(asked) ? `${boot} ${asked}` : undefined),
});

it('has one owner among many who ask at once, and says who it is', async () => {
  const living = new Set(Array.from({ length: 12 }, (_, pid) => pid + 1));
  const asked = await Promise.allSettled(
    [...living].map((pid) => FolderLock.take(folder, `p${pid}`, systemClock, machine('a', pid, living))),
  );
  const taken = asked.filter((one) => one.status === 'fulfilled');
  expect(taken).toHaveLength(1);
  const owner = await lockOwner(folder, machine('a', 1, living));
  const refused = asked.find((one) => one.status === 'rejected');
  expect(String(refused?.reason)).toContain(`${owner?.by} on a (process ${owner?.pid}) has held this folder since`);
  for (const one of taken) await one.value.release();
  expect(await lockOwner(folder, machine('a', 1, living))).toBeUndefined();
});

it('is taken over from a process that died, by exactly one of many, and never from one that lives', async () => {
  const living = new Set([1, 2, 3, 4, 5]);
  const dead = await FolderLock.take(folder, 'p1', systemClock, machine('a', 1, living));
  await expect(FolderLock.take(folder, 'p2', systemClock, machine('a', 2, living))).rejects.toThrow(
    /RunLocked|p1 on a/,
  );
  living.delete(1);
  const asked = await Promise.allSettled(
    [2, 3, 4, 5].map((pid) => FolderLock.take(folder, `p${pid}`, systemClock, machine('a', pid, living))),
  );
  const taken = asked.filter((one) => one.status === 'fulfilled');
  expect(taken).toHaveLength(1);
  expect(await dead.isHeld()).toBe(false);
  await dead.release();
  expect(await lockOwner(folder, machine('a', 1, living))).toBeDefined();
  for (const one of taken) await one.value.release();
  expect((await readdir(join(folder, 'runs'))).filter((name) => name.startsWith('lock-'))).toHaveLength(1);
});

it('of another machine is taken over only when its owner shows no sign of life', async () => {
  const other = machine('b', 9, new Set([9]));
  const clock = new FakeClock();
  await FolderLock.take(folder, 'ann', clock, machine('a', 1, new Set([1])));
  await expect(untilDone(clock, FolderLock.take(folder, 'bob', clock, other))).rejects.toThrow('ann on a');
  const silent = join(folder, 'silent');
  const first = await FolderLock.take(silent, 'ann', new FakeClock(), machine('a', 1, new Set([1])));
  const lock = await untilDone(clock, FolderLock.take(silent, 'bob', clock, other));
  expect([await lock.isHeld(), await first.isHeld()]).toEqual([true, false]);
});

it('of another machine of the same name is not taken over from an owner that lives', async () => {
  const clock = new FakeClock();
  const other = machine('a', 9, new Set([9]), 'another');
  await FolderLock.take(folder, 'ann', clock, machine('a', 1, new Set([1])));
  expect(await lockOwner(folder, other)).toMatchObject({ by: 'ann' });
  await expect(untilDone(clock, FolderLock.take(folder, 'bob', clock, other))).rejects.toThrow('ann on a');
});

it('is not held while its beats cannot be written, and is again when they can', async () => {
  const clock = new FakeClock();
  const lock = await FolderLock.take(folder, 'ann', clock, machine('a', 1, new Set([1])));
  const runs = join(folder, 'runs');
  await rename(runs, `${runs}.away`);
  await mkdir(runs);
  // The highest number is there, and a folder in its place can be neither read nor replaced.
  await mkdir(join(runs, 'lock-1', 'x'), { recursive: true });
  await untilDone(clock, sleep(clock, 31_000));
  expect(await lock.isHeld()).toBe(false);
  await rm(runs, { recursive: true });
  await rename(`${runs}.away`, runs);
  await untilDone(clock, sleep(clock, 11_000));
  expect(await lock.isHeld()).toBe(true);
  await lock.release();
});

it('knows the processes of this machine', async () => {
  const own = await processesHere.identityOf(process.pid);
  expect(own).toMatch(/^[0-9a-f-]{36} \d+$/);
  expect(await processesHere.identityOf(1)).not.toBe(own);
  expect(await processesHere.identityOf(2 ** 30)).toBeUndefined();
});

/** Moves the clock, a second at a time with time for files to be written, until this is done. */
async function untilDone<T>(clock: FakeClock, work: Promise<T>): Promise<T> {
  let done = false;
  const end = (): void => {
    done = true;
  };
  work.then(end, end);
  while (!done) {
    await new Promise((resolve) => setTimeout(resolve, 40));
    await clock.advance(1000);
  }
  return await work;
}
