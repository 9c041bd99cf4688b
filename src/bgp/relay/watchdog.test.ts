import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

it('kills a process that hangs, also where the start-up file of the user never ends', async () => {
  const home = await mkdtemp(join(tmpdir(), 'tideline-watchdog-'));
  await writeFile(join(home, '.bashrc'), 'sleep 60\n');
  const script = `
    import { startWatchdog } from '${join(import.meta.dirname, 'watchdog.ts')}';
    startWatchdog({ limitSeconds: 1, onProblem: () => {} });
    // Once it is started, nothing is done any more.
    setTimeout(() => { for (;;); }, 500);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { PATH: process.env['PATH'], HOME: home },
    stdio: 'ignore',
  });
  const patience = setTimeout(() => child.kill('SIGTERM'), 30_000);
  try {
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
  } finally {
    clearTimeout(patience);
    child.kill('SIGKILL');
    await rm(home, { recursive: true });
  }
});
