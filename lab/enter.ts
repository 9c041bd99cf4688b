import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../src/model/problem.ts';
import { labNetworks } from './net/network.ts';

/** File in the state folder with the process id of the box, for those who want in; it is worth nothing once the lab has ended. */
export const boxFile = 'box.pid';

export interface Entry {
  readonly stateFolder: string;
  /** A server, router or name server of the lab; absent for the operator's machine. */
  readonly machine?: string;
  readonly command: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * Runs a command inside a running lab, in the current folder, with our terminal. Resolves with its exit code. Throws InputError when no
 * lab runs there.
 */
export async function enterBox({ stateFolder, machine, command, environment }: Entry): Promise<number> {
  const first = await firstProcess(stateFolder);
  // The folder is entered by its name inside: the files of the machine are the same there.
  const into = ['--target', String(first), '--mount', '--net', '--pid', '--root', `--wdns=${process.cwd()}`];
  const user = process.geteuid?.() === 0 ? [] : ['--user', '--preserve-credentials'];
  const place = machine === undefined ? [] : ['nsenter', `--net=/run/netns/${labNetworks}-${machine}`];
  const child = spawn('nsenter', [...into, ...user, '--', ...place, ...command], {
    stdio: 'inherit',
    env: environment,
  });
  // A Ctrl-C reaches the command as well; it decides when it ends.
  const ignore = (): void => undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, ignore);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? killed));
  });
}

const killed = 137;

/** Process 1 of the box, by its number out here. */
async function firstProcess(stateFolder: string): Promise<number> {
  try {
    const pid = Number(await readFile(join(stateFolder, boxFile), 'utf8'));
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
    const first = Number(children.trim().split(' ')[0]);
    if (Number.isInteger(first) && first > 0) return first;
  } catch {
    // Handled below: there is no file, or no such process.
  }
  throw new InputError([
    { reason: 'NoLab', message: `no lab is running in ${stateFolder}`, fix: 'start one with: tideline lab up' },
  ]);
}
