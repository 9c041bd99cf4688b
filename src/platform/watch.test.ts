import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../model/problem.ts';
import type { Platform } from '../model/spec/platform.ts';
import { systemClock } from '../runtime/clock.ts';
import { silentLog } from '../runtime/log.ts';
import { PlatformWatch } from './watch.ts';

const specFiles = ['sites.yaml', 'clusters.yaml', 'traffic.yaml'];
const drain = `apiVersion: tideline.dev/v1alpha1
kind: Drain
metadata: { name: d }
spec: { target: { kind: Worker, name: w }, reason: disk, expires: "2099-01-01T00:00:00Z" }
`;

let folder: string;
let watch: PlatformWatch<Platform>;
let changes: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-watch-'));
  for (const file of specFiles)
    await copyFile(new URL(`../../examples/hybrid/${file}`, import.meta.url), join(folder, file));
  changes = 0;
  watch = new PlatformWatch({ path: folder, view: needsParis, clock: systemClock, log: silentLog, intervalMs: 20 });
  watch.onChange(() => {
    changes += 1;
  });
});

afterEach(async () => {
  await watch.stop();
  await rm(folder, { recursive: true });
});

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
});
