import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { newMeter, secondsOfEndedChildren } from './meter.ts';

/** With `shown` a command writes to our own output; with `kept` its output is in the result. */
export type Output = 'shown' | 'kept';

export interface Outcome {
  readonly code: number;
  readonly text: string;
  /** The user and system time of the command and of all that it started. */
  readonly processorSeconds: number;
}

const running = new Set<ChildProcess>();

/**
 * From now on a signal that ends us kills all running commands: namespaces ignore all signals but SIGKILL, and end with their
 * first process.
 */
export function killChildrenOnSignal(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => {
      for (const child of running) child.kill('SIGKILL');
      process.exit(128 + constants.signals[signal]);
    });
}

/**
 * Runs a command to its end. Never rejects: a command that cannot be started ends with 127. It dies with us also when we are
 * killed.
 */
export async function execute(command: readonly string[], output: Output): Promise<Outcome> {
  const meter = await newMeter();
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...meter.enter, ...command], {
    stdio: output === 'shown' ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      PATH: `${process.cwd()}/node_modules/node/bin:${process.env['PATH'] ?? ''}`,
      npm_config_loglevel: 'error',
    },
  });
  running.add(child);
  let text = '';
  let ofWaitedFor = 0;
  child.once('exit', () => {
    ofWaitedFor = secondsSinceLastEnd();
  });
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  const code = await new Promise<number>((resolve) => {
    child.once('error', (error) => {
      text += `${error.message}\n`;
      resolve(127);
    });
    child.once('close', (status) => resolve(status ?? 1));
  });
  running.delete(child);
  return { code, text, processorSeconds: await meter.end(ofWaitedFor) };
}

let secondsBefore = secondsOfEndedChildren();

/** Must be called when a child has just ended: the time that was added since the end before is this child's. */
function secondsSinceLastEnd(): number {
  const before = secondsBefore;
  secondsBefore = secondsOfEndedChildren();
  return secondsBefore - before;
}
