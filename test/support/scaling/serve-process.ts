import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ScalingStatus } from '../../../src/planes/scaling/status.ts';
import { eventually } from '../clusters/control-plane.ts';
import { compileCache } from '../compile-cache.ts';

/** `tideline scaling serve` in a process of its own. */
export class ServeProcess {
  readonly #child: ChildProcess;
  #log = '';

  /** `options` are those of the command; it tells people on a port of its own. */
  constructor(options: readonly string[]) {
    const words = ['scaling', 'serve', ...options, '--metrics-address', '127.0.0.1:0'];
    const command = ['--disable-warning=ExperimentalWarning', 'src/cli/main.ts', ...words];
    this.#child = spawn(process.execPath, command, { env: { ...process.env, NODE_COMPILE_CACHE: compileCache } });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.#log += String(chunk);
      });
  }

  get log(): string {
    return this.#log;
  }

  /** Where it tells people; undefined before it listens there. */
  get endpoint(): string | undefined {
    return /"endpoint":"(http:[^"]+)"/.exec(this.#log)?.[1];
  }

  async get(path: string): Promise<string | undefined> {
    const url = this.endpoint;
    if (url === undefined) return undefined;
    const answer = await fetch(`${url}${path}`, { signal: AbortSignal.timeout(2000) }).catch(() => undefined);
    return answer?.text();
  }

  /** Undefined while it does not answer. */
  async status(): Promise<ScalingStatus | undefined> {
    const text = await this.get('/status');
    return text === undefined ? undefined : (JSON.parse(text) as ScalingStatus);
  }

  /** Resolves when autoscalers are told so many replicas of a target. */
  async tells(target: string, replicas: number): Promise<void> {
    let last = 'nothing';
    await eventually(async () => {
      const status = await this.status();
      last = JSON.stringify(status);
      return status?.targets.some((one) => one.target === target && one.told === replicas) === true;
    }).catch((error: unknown) => {
      throw new Error(`it says ${last}\n${this.#log.slice(-3000)}`, { cause: error });
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves when it has ended; at once where it has. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  }
}
