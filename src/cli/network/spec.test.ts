import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadPlatformOrThrow } from '../../platform/load.ts';
import { systemClock } from '../../runtime/clock.ts';
import { type Log, silentLog } from '../../runtime/log.ts';
import { parseListenAddress } from './listen.ts';
import { SpecWatch } from './spec.ts';

let folder: string;
let watch: SpecWatch;
let changes: number;
const warnings: unknown[] = [];
const log: Log = { ...silentLog, warn: (fields) => warnings.push(fields) };
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-spec-'));
  for (const file of ['sites.yaml', 'clusters.yaml', 'traffic.yaml'])
    await copyFile(new URL(`../../../examples/hybrid/${file}`, import.meta.url), join(folder, file));
  changes = 0;
  warnings.length = 0;
  watch = new SpecWatch({
    path: folder,
    platform: await loadPlatformOrThrow([folder]),
    clock: systemClock,
    log,
    onChange: () => {
      changes += 1;
    },
    pollMs: 20,
  });
  watch.start();
  await until(() => changes === 1);
});
afterEach(async () => {
  await watch.stop();
  await rm(folder, { recursive: true });
});

async function until(check: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!check()) {
    if (performance.now() > deadline) throw new Error('not within 10 s');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const drain = `apiVersion: tideline.dev/v1alpha1
kind: Drain
metadata: { name: d }
spec: { target: { kind: Worker, name: w }, reason: disk, expires: "2099-01-01T00:00:00Z" }
`;

it('follows the spec, keeps the last good one when it has a fault or is gone, and does not look at manifests', async () => {
  await writeFile(join(folder, 'drain.yaml'), drain);
  await until(() => watch.current.drains.size === 1);
  await writeFile(join(folder, 'drain.yaml'), 'kind: [');
  await until(() => warnings.length === 1);
  expect(watch.current.drains.size).toBe(1);
  await rm(join(folder, 'drain.yaml'));
  await until(() => watch.current.drains.size === 0);
  const before = changes;
  await mkdir(join(folder, 'clusters/paris'), { recursive: true });
  await writeFile(join(folder, 'clusters/paris/all.yaml'), 'apiVersion: v1\nkind: Node\nmetadata: {name: a}\n');
  for (const file of ['sites.yaml', 'clusters.yaml', 'traffic.yaml']) await rm(join(folder, file));
  await until(() => warnings.length === 2);
  expect(watch.current.sites.has('paris')).toBe(true);
  expect(changes).toBe(before);
});

it.each([
  ['127.0.0.1:9463', { host: '127.0.0.1', port: 9463 }],
  ['[::1]:0', { host: '::1', port: 0 }],
  ['host.example:80', { host: 'host.example', port: 80 }],
])('reads the address %s', (text, expected) => {
  expect(parseListenAddress(text)).toEqual(expected);
});

it.each(['', '9463', '::1:80', 'a:b', '1.2.3.4:70000', '[::1]'])('refuses the address "%s"', (text) => {
  expect(() => parseListenAddress(text)).toThrow('host:port');
});
