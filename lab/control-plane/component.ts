import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../src/runtime/clock.ts';
import { type Daemon, startDaemon } from '../daemons/process.ts';
import { stillMissing } from '../missing.ts';
import type { Component } from './control-plane.ts';
import type { Place } from './place.ts';

export interface ComponentOptions {
  readonly name: Component;
  readonly place: Place;
  readonly program: string;
  readonly arguments: readonly string[];
  /** The folder of its log, `<name>.log`, to which every start appends. */
  readonly folder: string;
  /** True when the component works. A rejection means the same as false. */
  readonly check: () => Promise<boolean>;
}

/** The time between two checks. Each check makes a TLS handshake, which costs both sides some milliseconds of a processor. */
const checkMs = 100;

/** One program of a control plane, which can be started again and again on the same data and port. */
export class ComponentProcess {
  readonly name: Component;
  readonly #options: ComponentOptions;
  #daemon: Daemon | undefined;

  constructor(options: ComponentOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** The id of its process while it runs. */
  get pid(): number | undefined {
    return this.#daemon?.running === true ? this.#daemon.pid : undefined;
  }

  /** Starts the process unless it runs; does not wait until it works. */
  launch(): void {
    if (this.#daemon?.running === true) return;
    const { place, program, folder } = this.#options;
    this.#daemon = startDaemon({
      network: { spawn: (_, command, args, options) => place.spawn(command, args, options ?? {}) },
      namespace: '',
      command: program,
      args: this.#options.arguments,
      logFile: join(folder, `${this.name}.log`),
    });
  }

  /** Resolves when the component works; rejects with the end of its log when it ends, or after `timeoutMs`. */
  async ready(timeoutMs: number): Promise<void> {
    let why = 'it says so';
    const missing = async (): Promise<string | undefined> => {
      try {
        if (await this.#options.check()) return undefined;
      } catch (error) {
        why = String(error);
      }
      if (this.#daemon?.running !== true) throw await this.#failure('ended');
      return `is not ready after ${Math.round(timeoutMs)} ms (${why})`;
    };
    const word = await stillMissing(missing, { clock: systemClock, timeoutMs, everyMs: checkMs });
    if (word !== undefined) throw await this.#failure(word);
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#daemon?.running !== true) throw new Error(`${this.name} does not run`);
    this.#daemon.kill(signal);
  }

  /** Sends SIGTERM, and SIGKILL after `graceMs`; resolves when the process is gone. */
  async end(graceMs: number): Promise<void> {
    await this.#daemon?.stop(graceMs);
  }

  async kill(): Promise<void> {
    if (this.#daemon?.running !== true) return;
    this.#daemon.kill('SIGKILL');
    await this.#daemon.exited;
  }

  async #failure(what: string): Promise<Error> {
    const log = await readFile(join(this.#options.folder, `${this.name}.log`), 'utf8').catch(() => '');
    return new Error(`${this.name} ${what}; the end of its log:\n${log.slice(-2000)}`);
  }
}
