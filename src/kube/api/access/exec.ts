import { type ChildProcess, spawn } from 'node:child_process';
import type { User } from '@kubernetes/client-node/dist/config_types.js';
import { ExecAuth } from '@kubernetes/client-node/dist/exec_auth.js';
import { messageOf, withoutUndefined } from '../../../model/values.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { noCredentials } from './access.ts';

/** What an exec plugin gave: a token, a client certificate, or both. */
export interface ExecCredential {
  readonly token?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly expiresMs: number;
}

/** A plugin that runs for longer is ended, together with every process that it started. */
const pluginTimeoutMs = 30_000;
/** New credentials are fetched this long before the old ones expire: a request takes time, and clocks differ. */
const leewayMs = 10_000;

/** The library's ExecAuth, as its own types do not show it. */
interface Plugin {
  execFn: (command: string, args: readonly string[] | undefined, options: object) => unknown;
  getCredential(user: User): Promise<{ readonly status?: Readonly<Record<string, string | undefined>> } | null>;
}

export interface ExecPluginOptions {
  readonly user: User;
  /** What the plugin is told in KUBERNETES_EXEC_INFO, at each run. */
  readonly info: () => Promise<string>;
  readonly clock: Clock;
  readonly limitMs?: number;
}

/** Credentials of a kubeconfig's exec plugin. They are fetched once, and again shortly before they expire. */
export class ExecPlugin {
  readonly #user: User;
  readonly #info: () => Promise<string>;
  readonly #clock: Clock;
  readonly #limitMs: number;
  #credential: ExecCredential | undefined;
  #running: Promise<ExecCredential> | undefined;
  runs = 0;

  constructor({ user, info, clock, limitMs = pluginTimeoutMs }: ExecPluginOptions) {
    this.#user = user;
    this.#info = info;
    this.#clock = clock;
    this.#limitMs = limitMs;
  }

  async get(): Promise<ExecCredential> {
    const now = this.#clock.now();
    if (this.#credential !== undefined && now < this.#credential.expiresMs - leewayMs) return this.#credential;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    try {
      this.#credential = await this.#running;
    } catch (error) {
      if (this.#credential === undefined || now >= this.#credential.expiresMs) throw error;
    }
    return this.#credential;
  }

  forget(): void {
    this.#credential = undefined;
  }

  async #run(): Promise<ExecCredential> {
    this.runs += 1;
    const { exec } = this.#user as {
      readonly exec?: { readonly command?: string; readonly env?: readonly object[] | null };
    };
    // Last, so that it counts more than a variable of this name in the kubeconfig, as with client-go.
    const env = [...(exec?.env ?? []), { name: 'KUBERNETES_EXEC_INFO', value: await this.#info() }];
    const name = `exec plugin ${exec?.command ?? ''}`;
    const plugin = new ExecAuth() as unknown as Plugin;
    plugin.execFn = (command, args, options) => start(command, args ?? [], options, this.#limitMs);
    let status: Readonly<Record<string, string | undefined>> | undefined;
    try {
      status = (await plugin.getCredential({ ...this.#user, exec: { ...exec, env } }))?.status;
    } catch (error) {
      // The output may hold the token, and the message of a SyntaxError quotes it.
      const said = error instanceof SyntaxError ? 'its output is not JSON' : firstLine(error);
      throw noCredentials(`${name} failed: ${said}`);
    }
    const { token, clientCertificateData: cert, clientKeyData: key, expirationTimestamp } = status ?? {};
    if (token === undefined && cert === undefined) throw noCredentials(`${name} gave neither token nor certificate`);
    const expiresMs = Date.parse(expirationTimestamp ?? '');
    return {
      ...withoutUndefined({ token, cert, key }),
      expiresMs: Number.isNaN(expiresMs) ? Number.POSITIVE_INFINITY : expiresMs,
    };
  }
}

/** A credential has some kilobytes; whoever collects the output keeps all of it. */
const maxOutputBytes = 1 << 20;

/**
 * Starts a plugin in a process group of its own, so that its children can be ended with it: they hold its output open, and
 * we would go on waiting if only the plugin were ended. Its input is closed, because nobody is there to answer a question.
 */
function start(command: string, args: readonly string[], options: object, limitMs: number): ChildProcess {
  const child = spawn(command, args, { ...options, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const { pid } = child;
  if (pid === undefined) return child;
  const end = (): void => {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // The group ended by itself just now.
    }
  };
  const late = setTimeout(end, limitMs);
  for (const output of [child.stdout, child.stderr]) {
    let bytes = 0;
    output?.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxOutputBytes) end();
    });
  }
  child.once('close', () => clearTimeout(late));
  return child;
}

function firstLine(error: unknown): string {
  const text = messageOf(error);
  return text.trim().split('\n', 1)[0]?.slice(0, 200) || 'no message (ended by a signal?)';
}
