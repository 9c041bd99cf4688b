import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { promisify } from 'node:util';
import { compileCache, stateOfLab } from '../../support/compile-cache.ts';
import { eventually, nothing } from '../../support/eventually.ts';

const tideline = 'bin/tideline';

/** Runs `tideline lab up` as a child process and keeps its output. */
export class LabProcess {
  readonly child: ChildProcess;
  readonly state: string;
  output = '';

  constructor(state: string, wrap: readonly string[] = [], options: readonly string[] = []) {
    this.state = stateOfLab(state);
    const [command = tideline, ...args] = [...wrap, tideline, 'lab', 'up', '--state', state, ...options];
    this.child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
  }

  /** Resolves when the output matches; rejects after `timeoutMs` or when the command ends before. */
  async waitForOutput(pattern: RegExp, timeoutMs: number): Promise<void> {
    await until(() => {
      if (pattern.test(this.output)) return undefined;
      const { exitCode, signalCode } = this.child;
      if (exitCode !== null || signalCode !== null) throw new Error(`lab up ended: ${this.output}`);
      return `lab up says only: ${this.output}`;
    }, timeoutMs);
  }

  async exitCode(timeoutMs: number): Promise<number> {
    await until(() => (this.child.exitCode === null ? 'lab up still runs' : undefined), timeoutMs);
    return this.child.exitCode ?? -1;
  }

  /** Sends SIGKILL to every process that mentions this state folder; it cleans up after tests that failed. */
  destroy(): void {
    for (const pid of pidsMentioning(this.state)) process.kill(pid, 'SIGKILL');
  }
}

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `tideline lab WORDS`; resolves whatever the exit code is. */
export async function lab(...words: readonly string[]): Promise<CommandResult> {
  return runCommand(tideline, ['lab', ...words]);
}

export async function runCommand(command: string, args: readonly string[]): Promise<CommandResult> {
  try {
    const env = { ...process.env, NODE_COMPILE_CACHE: compileCache };
    const { stdout, stderr } = await promisify(execFile)(command, [...args], { maxBuffer: 64 << 20, env });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}

/** Waits until `missing` reports that nothing is missing; rejects with its last report. */
export async function until(
  missing: () => string | undefined | Promise<string | undefined>,
  timeoutMs: number,
): Promise<void> {
  await eventually('nothing is missing', nothing(missing), { timeoutMs, everyMs: 50, onError: 'fail' });
}

/** The namespaces and mounts of this machine, which a lab could leave behind. */
export function leftovers(): { readonly namespaces: readonly string[]; readonly mounts: readonly string[] } {
  const namespaces = new Set<string>();
  for (const pid of pids().filter((candidate) => !isZombie(candidate)))
    for (const kind of ['net', 'mnt', 'pid', 'user']) {
      const link = attempt(() => readlinkSync(`/proc/${pid}/ns/${kind}`));
      if (link !== undefined) namespaces.add(link);
    }
  return { namespaces: [...namespaces].sort(), mounts: readFileSync('/proc/self/mountinfo', 'utf8').split('\n') };
}

/** The processes whose command line contains the text, without this one. */
export function pidsMentioning(text: string): readonly number[] {
  return pids().filter(
    (pid) =>
      pid !== process.pid && attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'))?.includes(text) === true,
  );
}

/** The descendants of a process, each with its state letter (Z is a zombie). */
export function descendants(root: number): readonly { readonly pid: number; readonly state: string }[] {
  const all = pids().flatMap((pid) => {
    const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
    const [state = '', parent = ''] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
    return stat === undefined ? [] : [{ pid, state, parent: Number(parent) }];
  });
  const found: { pid: number; state: string }[] = [];
  for (let parents = new Set([root]); parents.size > 0; ) {
    const children = all.filter((one) => parents.has(one.parent));
    found.push(...children);
    parents = new Set(children.map((one) => one.pid));
  }
  return found;
}

/**
 * True for a zombie. An orphan of a killed lab stays one, because process 1, which in tests is the test runner, does not
 * collect it.
 */
function isZombie(pid: number): boolean {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? '';
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
}

function pids(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined; // The process ended while it was read.
  }
}
