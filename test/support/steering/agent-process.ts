import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { SteeringStatus } from '../../../src/model/steering-status.ts';
import { eventually } from '../clusters/control-plane.ts';
import { promised } from '../promised.ts';

export interface AgentProcessOptions {
  /** By which errors name it. */
  readonly name: string;
  /** `main.ts` of the release that runs. */
  readonly program: string;
  readonly compileCache: string;
  /** The options of `steering agent`; it listens on a port of its own. */
  readonly options: readonly string[];
}

/** A steering agent in a process of its own, as it says of itself. */
export class AgentProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  #log = '';

  constructor({ name, program, compileCache, options }: AgentProcessOptions) {
    this.name = name;
    const keys = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', NODE_COMPILE_CACHE: compileCache };
    const words = ['steering', 'agent', ...options, '--metrics-address', '127.0.0.1:0', '--every', '5'];
    const command = ['--disable-warning=ExperimentalWarning', program, ...words];
    const child = spawn(process.execPath, command, { env: { ...process.env, ...keys } });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        this.#log += String(chunk);
      });
  }

  get log(): string {
    return this.#log;
  }

  /** Undefined while it does not answer. */
  async status(): Promise<SteeringStatus | undefined> {
    const url = /"endpoint":"(http:[^"]+)"/.exec(this.#log)?.[1];
    if (url === undefined) return undefined;
    const signal = AbortSignal.timeout(1000);
    const answer = await fetch(`${url}/status`, { signal }).catch(() => undefined);
    return (await answer?.json()) as SteeringStatus | undefined;
  }

  /** `leads inForce 1`: whether it leads, what it says of the zone, and which generation it read. */
  async said(): Promise<string> {
    const { leadership, zones = [] } = (await this.status()) ?? {};
    const [one] = zones;
    return `${leadership?.leading === true ? 'leads' : 'stands by'} ${one?.state} ${one?.generation ?? ''}`.trim();
  }

  async comes(text: RegExp, timeoutMs = promised(60_000)): Promise<void> {
    let last = '';
    await eventually(
      async () => {
        last = await this.said();
        return text.test(last);
      },
      { timeoutMs },
    ).catch((error: unknown) => {
      throw new Error(`${this.name} says ${last}\n${this.#log.slice(-2000)}`, { cause: error });
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves when it has ended; at once where it has. */
  async end(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  }
}
