import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { withoutUndefined } from '../../src/model/values.ts';
import type { Network } from '../net/network.ts';

export interface DaemonOptions {
  readonly network: Pick<Network, 'spawn'>;
  readonly namespace: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Standard output and standard error are appended to this file. */
  readonly logFile: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** One daemon in the foreground, the direct child of this process. */
export interface Daemon {
  readonly pid: number;
  readonly running: boolean;
  readonly logFile: string;
  /** Resolves when the daemon has ended, whatever ended it. */
  readonly exited: Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** Sends SIGTERM, then SIGKILL after `graceMs`; resolves when the daemon is gone. */
  stop(graceMs?: number): Promise<void>;
}

export function startDaemon(options: DaemonOptions): Daemon {
  const log = openSync(options.logFile, 'a');
  const child = options.network.spawn(options.namespace, options.command, options.args, {
    stdio: ['ignore', log, log],
    ...withoutUndefined({ env: options.env }),
  });
  closeSync(log);
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const isRunning = (): boolean => child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  return {
    pid: child.pid ?? -1,
    get running() {
      return isRunning();
    },
    logFile: options.logFile,
    exited,
    kill: (signal) => void child.kill(signal),
    stop: (graceMs = 3000) => stopChild(child, exited, isRunning, graceMs),
  };
}

async function stopChild(
  child: ChildProcess,
  exited: Promise<void>,
  isRunning: () => boolean,
  graceMs: number,
): Promise<void> {
  if (!isRunning()) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
  await exited;
  clearTimeout(timer);
}
