import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { badRun } from './reasons.ts';

export interface Finished {
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** What the program reads on its standard input. */
  readonly input?: Buffer | Readable;
}

const mostBytes = 256 * 2 ** 20;

/**
 * Runs a program to its end, whatever its exit code: Salt exits with 0 when states failed and with others when they did not. Throws ReachFailed when it cannot
 * be started, takes too long or prints too much; the process is killed then.
 */
export function runProgram(program: string, args: readonly string[], options: ProgramOptions): Promise<Finished> {
  const failed = (why: string) =>
    badRun('ReachFailed', `${program} ${why}`, 'see that it is installed and runs by hand on this machine');
  return new Promise((resolve, reject) => {
    // A group of its own: Ctrl-C of a person reaches tideline alone, which lets the step end.
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    const parts = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    let bytes = 0;
    const end = (why: string): void => {
      kill(child.pid);
      reject(failed(why));
    };
    const timer = setTimeout(() => end(`has not ended after ${options.timeoutMs / 1000} s`), options.timeoutMs);
    const onAbort = (): void => end('was ended before it was done');
    options.signal.addEventListener('abort', onAbort, { once: true });
    if (options.signal.aborted) onAbort();
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > mostBytes) end('printed too much');
        else parts[name].push(chunk);
      });
    }
    child.on('error', (error) => reject(failed(`cannot be started: ${error.message}`)));
    child.on('close', () => {
      clearTimeout(timer);
      options.signal.removeEventListener('abort', onAbort);
      const text = (name: 'stdout' | 'stderr'): string => Buffer.concat(parts[name]).toString();
      resolve({ stdout: text('stdout'), stderr: text('stderr') });
    });
    // A program that ends without reading its input is judged by what it printed.
    child.stdin.on('error', () => undefined);
    const { input } = options;
    if (input instanceof Readable)
      input.on('error', (error) => end(`cannot be given what it reads: ${error.message}`)).pipe(child.stdin);
    else child.stdin.end(input);
  });
}

function kill(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
