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
  /** Its log is `<name>.log` in here, appended to by every start. */
  readonly folder: string;
  /** Whether it does its work. May reject: then it does not yet. */
  readonly check: () => Promise<boolean>;
}

/** Between two checks. Each is a connection with a TLS handshake, which costs both sides some milliseconds of a processor. */
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

  /** Starts its process unless it runs; does not wait. */
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

  /** Resolves when it does its work; rejects with the end of its log when it ends, or when the time is over. */
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

  /** SIGTERM, and SIGKILL after `graceMs`; resolves when it is gone. */
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
