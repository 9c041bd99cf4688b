import { type ChildProcess, spawn } from 'node:child_process';

/**
 * A hung relay is killed after this time, and ExaBGP starts it anew. ExaBGP ends for good when its child ends five times within
 * 64 s: at this pace that cannot happen.
 */
export const relayLimitSeconds = 20;

const respawnMs = 1000;

/**
 * Kills the process `$2` when nothing was written to it for `$1` seconds; ends with that process, which closes the pipe. bash
 * waits by a timer that no step of the clock moves, and is on every Debian.
 */
const script =
  'while :; do read -r -t "$1" _; s=$?; [ $s -eq 0 ] && continue; [ $s -gt 128 ] && kill -KILL "$2"; exit; done';

interface Watchdog {
  /** This process lives. */
  beat(): void;
}

/**
 * Starts a program that kills this process when it hangs, since nothing else would notice: ExaBGP goes on announcing what it
 * holds, also a VIP whose lease nobody ends any more. The program is a process of its own and is started anew when it ends.
 */
export function startWatchdog(options: {
  readonly limitSeconds: number;
  readonly onProblem: (message: string) => void;
}): Watchdog {
  let child: ChildProcess | undefined;
  let problem = '';
  const start = (): void => {
    // Without --norc bash takes its standard input, a socket, for a remote login, and runs the user's ~/.bashrc first.
    const words = ['--norc', '-c', script, 'watchdog', String(options.limitSeconds), String(process.pid)];
    const started = spawn('/bin/bash', words, { stdio: ['pipe', 'ignore', 'ignore'] });
    child = started;
    let ended = false;
    const end = (message: string): void => {
      if (ended) return;
      ended = true;
      child = undefined;
      if (message !== problem) options.onProblem(message);
      problem = message;
      setTimeout(start, respawnMs);
    };
    started.once('error', (error) => end(`nothing watches whether the relay hangs: ${error.message}`));
    started.once('exit', (code, signal) => end(`the watchdog of the relay ended (${signal ?? code})`));
    started.stdin.on('error', () => undefined); // Its end is told by `exit`.
  };
  start();
  return {
    beat: () => {
      child?.stdin?.write('\n');
    },
  };
}
