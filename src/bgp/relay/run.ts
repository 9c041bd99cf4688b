import { flushCompileCache } from 'node:module';
import { printable, printableJson } from '../../model/printable.ts';
import { systemClock } from '../../runtime/clock.ts';
import { startHeartbeat } from '../heartbeat.ts';
import { lineSplitter } from '../lines.ts';
import { parseRelayArguments, usage } from './arguments.ts';
import { CommandPipe } from './pipe.ts';
import { Relay } from './relay.ts';
import { openAgentSocket } from './socket.ts';
import { relayLimitSeconds, startWatchdog } from './watchdog.ts';

/** An ExaBGP that hangs for three hold times has lost its sessions long ago: to kill it takes no route from a router. */
const exabgpLimitMs = 30_000;

const logProblem = (message: string): void => {
  process.stderr.write(`${printableJson(JSON.stringify({ component: 'bgp-relay', level: 'warn', message }))}\n`);
};

/**
 * Runs the relay on this process's standard streams. The process ends when ExaBGP ends (end of standard input), never because
 * of an agent: five ends of an API child within a minute make ExaBGP stop and lose every route. Returns an exit code when
 * there is nothing to run.
 */
export function runRelay(argv: readonly string[]): number | undefined {
  const options = parseRelayArguments(argv);
  if ('problem' in options) {
    process.stderr.write(`${printable(`tideline bgp relay: ${options.problem}`)}\n${usage}\n`);
    return 2;
  }
  if ('help' in options) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  process.on('uncaughtException', (error) => logProblem(`unexpected: ${error.stack ?? error.message}`));
  process.stdout.on('error', () => process.exit(0));
  const pipe = new CommandPipe({
    write: (line, taken) => process.stdout.write(line, () => taken()),
    clock: systemClock,
    onSession: (neighbor, state, reason) => relay.sessionChanged(neighbor, state, reason),
    onStray: () => relay.answersDisordered(),
  });
  const relay = new Relay({
    ...options,
    clock: systemClock,
    pipe,
    publish: (message) => socket.publish(message),
    onProblem: logProblem,
  });
  const socket = openAgentSocket({
    path: options.socket,
    greeting: () => relay.snapshot(),
    onMessage: (message, ofAgent) => relay.receive(message, ofAgent),
    onAgent: (present) => relay.agentChanged(present),
    onProblem: logProblem,
  });
  process.stdin.setEncoding('utf8');
  process.stdin.on(
    'data',
    lineSplitter({ maxLength: 1 << 20, onLine: (line) => pipe.receive(line.trimEnd()), onOverlong: () => {} }),
  );
  process.stdin.on('end', () => process.exit(0));
  relay.start();
  const watchdog = startWatchdog({ limitSeconds: relayLimitSeconds, onProblem: logProblem });
  const parent = process.ppid;
  startHeartbeat(systemClock, () => {
    watchdog.beat();
    relay.beat();
    if (pipe.silentForMs(systemClock.monotonic()) >= exabgpLimitMs && process.ppid === parent) {
      logProblem(`ExaBGP has hung for ${exabgpLimitMs} ms; it is killed, so that its service starts it anew`);
      process.kill(parent, 'SIGKILL');
    }
  });
  // ExaBGP ends its children with SIGTERM, which leaves no time to write the compile cache.
  flushCompileCache();
  return undefined;
}
