import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../src/model/problem.ts';
import { didYouMean } from '../src/model/spec/similar.ts';
import { labNetworks } from './net/network.ts';
import { noLab } from './state.ts';

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
 * lab runs there, or it has no such machine.
 */
export async function enterBox({ stateFolder, machine, command, environment }: Entry): Promise<number> {
  const first = await firstProcess(stateFolder);
  if (machine !== undefined) await checkMachine(machine, `/proc/${first}/root`);
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

/** Throws InputError for a machine that the lab does not have; `root` is the root folder of its box. */
export async function checkMachine(machine: string, root: string): Promise<void> {
  const prefix = `${labNetworks}-`;
  const names = (await readdir(join(root, 'run', 'netns'))).filter((name) => name.startsWith(prefix));
  const machines = names.map((name) => name.slice(prefix.length));
  if (machines.includes(machine)) return;
  throw new InputError({
    reason: 'MachineUnknown',
    message: `no machine of the lab has the name ${machine}`,
    expected: machines.toSorted().join(', '),
    fix: didYouMean(machine, machines, 'correct the name'),
  });
}

/** Whether a box of this folder is there, from its first moment on: its control socket comes some seconds later. */
export async function boxIsThere(stateFolder: string): Promise<boolean> {
  try {
    const pid = Number(await readFile(join(stateFolder, boxFile), 'utf8'));
    // The number may be another program's by now.
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0').includes(stateFolder);
  } catch {
    return false;
  }
}

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
  throw noLab(stateFolder);
}
