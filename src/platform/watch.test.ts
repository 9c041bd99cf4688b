import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../model/problem.ts';
import type { Platform } from '../model/spec/platform.ts';
import { systemClock } from '../runtime/clock.ts';
import { silentLog } from '../runtime/log.ts';
import { folderCopy } from './folder-copy.ts';
import { PlatformWatch } from './watch.ts';

const specFiles = ['sites.yaml', 'clusters.yaml', 'traffic.yaml'];
const drain = `apiVersion: tideline.dev/v1alpha1
kind: Drain
metadata: { name: d }
spec: { target: { kind: Worker, name: w }, reason: disk, expires: "2099-01-01T00:00:00Z" }
`;

let folder: string;
let state: string;
let watch: PlatformWatch<Platform>;
let changes: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-watch-'));
  for (const file of specFiles)
    await copyFile(new URL(`../../examples/hybrid/${file}`, import.meta.url), join(folder, file));
  state = await mkdtemp(join(tmpdir(), 'tideline-watch-state-'));
  changes = 0;
  watch = new PlatformWatch({ path: folder, view: needsParis, clock: systemClock, log: silentLog, intervalMs: 20 });
  watch.onChange(() => {
    changes += 1;
  });
});

afterEach(async () => {
  await watch.stop();
  await rm(folder, { recursive: true, force: true });
  await rm(state, { recursive: true });
});

/** Starts a watch that keeps what the folder said last. */
async function startKeeping(): Promise<PlatformWatch<Platform>> {
  const copy = folderCopy(join(state, 'new', 'platform-edge.json'), silentLog);
  const common = { view: needsParis, clock: systemClock, log: silentLog, intervalMs: 20 };
  const next = new PlatformWatch({ path: folder, copy, ...common });
  await next.start();
  return next;
}

function needsParis(platform: Platform): Platform {
  if (!platform.sites.has('paris'))
    throw new InputError({ reason: 'UnknownName', message: 'there is no paris', fix: 'declare it' });
  return platform;
}

const poll = (read: () => unknown) => expect.poll(read, { timeout: 10_000, interval: 10 });

describe('PlatformWatch', () => {
  it('follows the spec', async () => {
    await watch.start();
    await writeFile(join(folder, 'drain.yaml'), drain);
    await poll(() => watch.current().drains.size).toBe(1);
    await rm(join(folder, 'drain.yaml'));
    await poll(() => watch.current().drains.size).toBe(0);
    expect(watch.status()).toEqual({ phase: 'current' });
  });

  it('follows a spec in which links lead back to its folder', async () => {
    await watch.start();
    await symlink('.', join(folder, 'a'));
    await symlink('.', join(folder, 'b'));
    await writeFile(join(folder, 'drain.yaml'), drain);
    await poll(() => watch.current().drains.size).toBe(1);
  });

  it('keeps the last good one over a fault, and says so until it is mended', async () => {
    await watch.start();
    await writeFile(join(folder, 'drain.yaml'), drain);
    await poll(() => watch.current().drains.size).toBe(1);
    await writeFile(join(folder, 'drain.yaml'), 'kind: [');
    await poll(() => watch.status()).toMatchObject({ phase: 'invalid', reason: 'PlatformInvalid' });
    expect(watch.current().drains.size).toBe(1);
    await writeFile(join(folder, 'drain.yaml'), drain);
    await poll(() => watch.status().phase).toBe('current');
  });

  it('keeps the last good one when the whole spec is gone', async () => {
    await watch.start();
    for (const file of specFiles) await rm(join(folder, file));
    await poll(() => watch.status().phase).toBe('invalid');
    expect(watch.current().sites.has('paris')).toBe(true);
  });

  it('takes no half of a file that is being saved in place', async () => {
    await writeFile(join(folder, 'drain.yaml'), drain);
    await watch.start();
    const drains: number[] = [];
    watch.onChange(() => drains.push(watch.current().drains.size));
    for (let turn = 0; turn < 5; turn += 1) {
      await writeFile(join(folder, 'drain.yaml'), '# drains\n---\n');
      await new Promise((resolve) => setTimeout(resolve, 50));
      await writeFile(join(folder, 'drain.yaml'), `# ${turn}\n${drain}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await poll(() => drains.length).toBeGreaterThan(0);
    expect(new Set(drains)).toEqual(new Set([1]));
  });

  it('does not look at manifests', async () => {
    await watch.start();
    await mkdir(join(folder, 'clusters/paris'), { recursive: true });
    await writeFile(join(folder, 'clusters/paris/all.yaml'), 'apiVersion: v1\nkind: Node\nmetadata: {name: a}\n');
    await writeFile(join(folder, 'drain.yaml'), drain);
    await poll(() => watch.current().drains.size).toBe(1);
    expect(changes).toBe(1);
  });

  it('does not start on a spec that lacks what the caller needs', async () => {
    await rm(join(folder, 'sites.yaml'));
    await expect(watch.start()).rejects.toThrow(InputError);
  });

  it.each<[string, () => Promise<void>]>([
    [
      'has a new object of a newer release',
      () => writeFile(join(folder, 'newer.yaml'), drain.replace('reason:', 'newer: 1, reason:')),
    ],
    ['is half gone', () => rm(join(folder, 'sites.yaml'))],
    ['is gone', () => rm(folder, { recursive: true })],
  ])('starts on the last good spec when the folder %s, and says so until it is mended', async (_, spoil) => {
    await writeFile(join(folder, 'drain.yaml'), drain);
    await (await startKeeping()).stop();
    await spoil();
    watch = await startKeeping();
    expect(watch.status()).toMatchObject({ phase: 'invalid', reason: 'PlatformInvalid' });
    expect([watch.current().drains.size, watch.current().sites.size]).toEqual([1, 5]);
    await poll(() => watch.status().phase).toBe('invalid');
    await mkdir(folder, { recursive: true });
    await rm(join(folder, 'newer.yaml'), { force: true });
    await rm(join(folder, 'drain.yaml'), { force: true });
    for (const name of specFiles)
      await copyFile(new URL(`../../examples/hybrid/${name}`, import.meta.url), join(folder, name));
    await poll(() => watch.status().phase).toBe('current');
    expect(watch.current().drains.size).toBe(0);
  });

  it('holds an object with a field of a newer release alone, also over a restart, and follows every other edit', async () => {
    const of = (name: string, more = ''): string =>
      drain.replace('name: d }', `name: ${name} }`).replace('reason: disk', `reason: disk${more}`);
    const reasons = (): readonly string[] =>
      [...watch.current().drains].map(([name, { spec }]) => `${name} ${spec.reason}`).toSorted();
    const said = (): readonly string[] =>
      watch.verdicts().map(({ place, kind, name, state: is, reason }) => `${place}: ${kind}/${name} ${is} ${reason}`);
    await writeFile(join(folder, 'drain.yaml'), `${of('a')}---\n${of('b')}`);
    watch = await startKeeping();
    await writeFile(join(folder, 'drain.yaml'), `${of('a', 's, newer: 1')}---\n${of('b', 's')}---\n${of('c')}`);
    await poll(reasons).toEqual(['a disk', 'b disks', 'c disk']);
    const held = [`${join(folder, 'drain.yaml')}: Drain/a held ObjectUnreadable`];
    expect([said(), watch.status()]).toEqual([held, { phase: 'current' }]);
    await watch.stop();
    watch = await startKeeping();
    expect([reasons(), said()]).toEqual([['a disk', 'b disks', 'c disk'], held]);
    await writeFile(join(folder, 'drain.yaml'), `${of('a', 's')}---\n${of('b', 's')}`);
    await poll(reasons).toEqual(['a disks', 'b disks']);
    expect(said()).toEqual([]);
  });

  it('does not start on the last good spec of another folder, nor on one that lacks what the caller needs now', async () => {
    const copy = folderCopy(join(state, 'platform-edge.json'), silentLog);
    const common = { copy, clock: systemClock, log: silentLog, intervalMs: 20 };
    const first = new PlatformWatch({ path: folder, view: needsParis, ...common });
    await first.start();
    await first.stop();
    await expect(new PlatformWatch({ path: state, view: needsParis, ...common }).start()).rejects.toThrow(InputError);
    await rm(join(folder, 'sites.yaml'));
    const picky = (): never => {
      throw new InputError({ reason: 'UnknownName', message: 'there is no rome', fix: 'declare it' });
    };
    await expect(new PlatformWatch({ path: folder, view: picky, ...common }).start()).rejects.toThrow(InputError);
  });
});
