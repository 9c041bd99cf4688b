import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { InputError } from '../src/model/problem.ts';

const run = promisify(execFile);

/**
 * The box: private mount, network and process namespaces with an empty /run. Everything inside ends with its process 1,
 * which the kernel ends when `unshare` dies, which dies with the process that called `runInBox`. Nothing has to be
 * cleaned up: mounts, namespaces and processes are the kernel's to drop.
 */
export interface BoxOptions {
  /** The program that runs inside, and its arguments. Its descriptor 3 is its lifeline: the program ends when that closes. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Is told the process id of the box, whose only child is process 1 inside. */
  readonly onStarted?: (pid: number) => void;
  /** How long the program inside gets to end by itself; by default 3 s, because of most labs nothing of value is lost when it does not. */
  readonly graceMs?: number;
}

export interface Box {
  /** Asks the program inside to end; kills it after `graceMs`. */
  stop(graceMs: number): void;
  /** The exit code of the program inside; 137 when it was killed. */
  readonly ended: Promise<number>;
}

/** The script that prepares the namespaces from inside and runs the command in them. */
const firstProcess = join(import.meta.dirname, 'box.sh');

/**
 * Root may make namespaces; anybody else needs a user namespace in which they are root. Throws InputError when the kernel
 * allows neither.
 */
export async function checkBoxAllowed(environment: Readonly<Record<string, string>>): Promise<void> {
  try {
    await run('unshare', [...unshareFlags(), '--', 'sh', firstProcess, 'true'], { env: environment });
  } catch (error) {
    const said = String((error as { stderr?: string }).stderr ?? error).trim();
    throw new InputError([
      {
        reason: 'NamespacesNotAllowed',
        message: `this machine does not let us make namespaces: ${said}`,
        fix: isRoot()
          ? 'run it where root has CAP_SYS_ADMIN (in a container: --privileged)'
          : 'run it as root, or allow user namespaces (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone=1)',
      },
    ]);
  }
}

export function openBox(options: BoxOptions): Box {
  const child = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', 'unshare', ...unshareFlags(), '--', 'sh', firstProcess, ...options.command],
    { stdio: ['inherit', 'inherit', 'inherit', 'pipe'], env: options.environment },
  );
  if (child.pid !== undefined) options.onStarted?.(child.pid);
  const lifeline = child.stdio[3];
  lifeline?.on('error', () => undefined);
  return {
    stop(graceMs) {
      lifeline?.destroy();
      setTimeout(() => child.kill('SIGKILL'), graceMs).unref();
    },
    ended: exitCode(child),
  };
}

/**
 * Runs a command in a box until it ends, a signal asks for the end, or our own parent dies. Resolves with the command's
 * exit code, or with 0 when the command had to be killed because the end was asked for. Throws InputError when this machine does
 * not allow boxes.
 */
export async function runInBox(options: BoxOptions): Promise<number> {
  await checkBoxAllowed(options.environment);
  const box = openBox(options);
  let asked = false;
  const stop = (): void => {
    asked = true;
    box.stop(options.graceMs ?? 3000);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  void orphaned().then(stop);
  const code = await box.ended;
  return asked && code === killed ? 0 : code;
}

/** Called inside a box: resolves when the process that opened the box wants its end, or is gone. */
export function lifelineClosed(): Promise<void> {
  return new Promise((resolve) => {
    const lifeline = new Socket({ fd: 3 });
    lifeline.on('error', () => resolve());
    lifeline.on('close', () => resolve());
    lifeline.resume();
    lifeline.unref();
  });
}

const killed = 137;

/** Resolves when the parent of this process is not the one it started under: an orphaned lab ends itself. */
export function orphaned(pollMs = 250): Promise<void> {
  const parent = process.ppid;
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(timer);
      resolve();
    }, pollMs);
    timer.unref();
  });
}

function unshareFlags(): readonly string[] {
  const user = isRoot() ? [] : ['--user', '--map-root-user'];
  return [
    ...user,
    '--mount',
    '--propagation=unchanged',
    '--net',
    '--pid',
    '--fork',
    '--kill-child=KILL',
    '--mount-proc',
  ];
}

function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

function exitCode(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? killed));
  });
}
