import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

const busy = 75;

/**
 * Starts a program of ours again, with its arguments and `--locked`, while it holds the lock of a folder; when another one holds it, says so and waits. The
 * kernel lets the lock go however the program ends. Resolves with the exit status.
 */
export async function underLock(folder: string, program: string, sayBusy: () => void): Promise<number> {
  await mkdir(folder, { recursive: true });
  const start = async (...how: readonly string[]): Promise<number> => {
    const self = [process.execPath, ...process.execArgv, program, ...process.argv.slice(2), '--locked'];
    // Without a fork, so that a signal sent to the child reaches the program and not a process beside it.
    const child = spawn('flock', ['--no-fork', ...how, join(folder, 'lock'), ...self], { stdio: 'inherit' });
    const forward = (signal: NodeJS.Signals): boolean => child.kill(signal);
    process.on('SIGTERM', forward).on('SIGINT', forward);
    return await new Promise((resolve, reject) => {
      child.once('error', reject).once('exit', (code) => resolve(code ?? 1));
    });
  };
  const code = await start('--nonblock', '--conflict-exit-code', String(busy));
  if (code !== busy) return code;
  sayBusy();
  return await start();
}
