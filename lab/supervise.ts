import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { backoffMs } from '../src/runtime/backoff.ts';
import type { Clock, Timer } from '../src/runtime/clock.ts';
import type { Network } from './net/network.ts';

/** One long-running program of the world. The lab plays systemd for it: a program that ends by itself is started again. */
export interface Service {
  /** A unique name, `paris-blade-1/nginx`; with dashes for slashes it is also the name of its log file. */
  readonly name: string;
  readonly namespace: string;
  readonly command: string;
  readonly arguments: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Gets each line of standard output of a program that reports to the lab; when absent, the output goes to the log file. */
  readonly onLine?: (line: string) => void;
}

export interface ServiceStatus {
  readonly name: string;
  readonly namespace: string;
  /** A `held` service is down on purpose, because of a fault; only `release` starts it. */
  readonly state: 'running' | 'waiting' | 'held';
  readonly pid?: number;
  /** How often the service was started after its first start. */
  readonly restarts: number;
}

interface Unit {
  readonly service: Service;
  child: ChildProcess | undefined;
  timer: Timer | undefined;
  held: boolean;
  starts: number;
  startedAt: number;
  quickEnds: number;
}

const restart = { firstMs: 200, ceilingMs: 3000 };
/** After a program has run this long, its next end is answered with the shortest delay again. */
const steadyMs = 5000;

/** Starts services in their namespaces and starts them again 200 ms after they end, doubling to 3 s while they end quickly. */
export class Supervisor {
  readonly #network: Network;
  readonly #logFolder: string;
  readonly #clock: Clock;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #units = new Map<string, Unit>();
  #stopped = false;

  constructor(options: {
    readonly network: Network;
    readonly logFolder: string;
    readonly clock: Clock;
    readonly environment: Readonly<Record<string, string>>;
  }) {
    this.#network = options.network;
    this.#logFolder = options.logFolder;
    this.#clock = options.clock;
    this.#environment = options.environment;
  }

  /** Starts a service, and starts it again whenever it ends. Returns its first process. The name must be new. */
  start(service: Service): ChildProcess {
    if (this.#stopped) throw new Error('the lab is ending');
    if (this.#units.has(service.name)) throw new Error(`the service ${service.name} was started before`);
    const unit: Unit = {
      service,
      child: undefined,
      timer: undefined,
      held: false,
      starts: 0,
      startedAt: 0,
      quickEnds: 0,
    };
    this.#units.set(service.name, unit);
    return this.#run(unit);
  }

  /** Sends a signal to the whole process group; a service that ends by it is started again. */
  kill(name: string, signal: NodeJS.Signals = 'SIGKILL'): void {
    const unit = this.#units.get(name);
    if (unit?.child !== undefined) signalGroup(unit.child, signal);
  }

  /** Kills a service and keeps it down until `release`. Resolves when its process has ended. */
  async hold(name: string): Promise<void> {
    const unit = this.#units.get(name);
    if (unit === undefined) return;
    unit.held = true;
    unit.timer?.cancel();
    await endOf(unit.child);
  }

  /** Starts a service that `hold` keeps down. */
  release(name: string): void {
    const unit = this.#units.get(name);
    if (unit?.held !== true) return;
    unit.held = false;
    this.#run(unit);
  }

  /** Ends a service and forgets it. */
  async remove(name: string): Promise<void> {
    await this.hold(name);
    this.#units.delete(name);
  }

  names(filter: (service: Service) => boolean): readonly string[] {
    return [...this.#units.values()].filter((unit) => filter(unit.service)).map((unit) => unit.service.name);
  }

  status(): readonly ServiceStatus[] {
    return [...this.#units.values()].map((unit) => ({
      name: unit.service.name,
      namespace: unit.service.namespace,
      state: unit.held ? 'held' : unit.child === undefined ? 'waiting' : 'running',
      ...(unit.child?.pid === undefined ? {} : { pid: unit.child.pid }),
      restarts: Math.max(0, unit.starts - 1),
    }));
  }

  /** Ends every service; afterwards nothing can be started. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#units.keys()].map((name) => this.remove(name)));
  }

  #run(unit: Unit): ChildProcess {
    const { service } = unit;
    const log = openSync(join(this.#logFolder, `${service.name.replaceAll('/', '-')}.log`), 'a');
    const child = this.#network.spawn(service.namespace, service.command, service.arguments, {
      stdio: ['ignore', service.onLine === undefined ? log : 'pipe', log],
      env: { ...this.#environment, ...service.environment },
      detached: true,
    });
    closeSync(log);
    unit.child = child;
    unit.starts += 1;
    unit.startedAt = this.#clock.monotonic();
    if (service.onLine !== undefined && child.stdout !== null) readLines(child.stdout, service.onLine);
    child.once('exit', () => this.#ended(unit, child));
    child.once('error', () => this.#ended(unit, child));
    return child;
  }

  #ended(unit: Unit, child: ChildProcess): void {
    if (unit.child !== child) return;
    unit.child = undefined;
    // No child may outlive the service's main process; systemd ends the rest of a unit's control group in the same way.
    signalGroup(child, 'SIGKILL');
    if (unit.held) return;
    unit.quickEnds = this.#clock.monotonic() - unit.startedAt > steadyMs ? 0 : unit.quickEnds + 1;
    unit.timer = this.#clock.setTimeout(
      () => {
        if (!unit.held && unit.child === undefined && this.#units.get(unit.service.name) === unit) this.#run(unit);
      },
      backoffMs(unit.quickEnds, restart),
    );
  }
}

/** Every service is started in a session of its own, so the id of its process group is that of its first process. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group has ended already.
  }
}

async function endOf(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  signalGroup(child, 'SIGKILL');
  await ended;
}

function readLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
}
