import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FakeClock } from '../../../../test/support/fake-clock.ts';
import { withoutUndefined } from '../../../model/values.ts';
import { ExecPlugin } from './exec.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plugin-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const credential = JSON.stringify({ kind: 'ExecCredential', status: { token: 'secret' } });

async function plugin(lines: string, limitMs?: number): Promise<ExecPlugin> {
  const command = join(folder, 'plugin');
  await writeFile(command, `#!/bin/sh\n${lines}\n`);
  await chmod(command, 0o755);
  const info = async (): Promise<string> => '{}';
  return new ExecPlugin({
    user: { name: 'u', exec: { command } },
    info,
    clock: new FakeClock(),
    ...withoutUndefined({ limitMs }),
  });
}

async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat !== '' && !stat.includes(') Z ');
}

it('gives a plugin no input: one that asks a question reads the end of its input', async () => {
  const asked = await plugin(`read answer; echo '${credential}'`);
  await expect(asked.get()).resolves.toMatchObject({ token: 'secret' });
}, 60_000);

it('ends a plugin that hangs, with every process that it started', async () => {
  const hanging = await plugin(`sleep 300 & echo $! > ${folder}/child; wait`, 500);
  await expect(hanging.get()).rejects.toMatchObject({ reason: 'NoCredentials' });
  const child = Number(await readFile(join(folder, 'child'), 'utf8'));
  await expect.poll(() => isRunning(child), { timeout: 30_000 }).toBe(false);
}, 60_000);

it('does not wait for processes that a plugin left behind, and ends them at the limit', async () => {
  const leaving = await plugin(`sleep 300 & echo $! > ${folder}/child; echo '${credential}'`, 1000);
  await leaving.get().catch(() => undefined);
  const child = Number(await readFile(join(folder, 'child'), 'utf8'));
  await expect.poll(() => isRunning(child), { timeout: 30_000 }).toBe(false);
}, 60_000);

it('says why a plugin failed, and never repeats its output', async () => {
  const failing = await plugin(`echo secret; echo 'log in first' >&2; exit 1`);
  await expect(failing.get()).rejects.toThrow(/^exec plugin .* failed: log in first$/);
  const garbling = await plugin(`echo secret`);
  await expect(garbling.get()).rejects.toThrow(/its output is not JSON$/);
});

it('ends a plugin whose output has no end', async () => {
  const endless = await plugin('exec yes secret', 60_000);
  await expect(endless.get()).rejects.toMatchObject({ reason: 'NoCredentials' });
}, 60_000);
