import { type ChildProcess, execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { cp, mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { messageOf } from '../../src/model/values.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { stillMissing } from '../missing.ts';
import type { Network } from '../net/network.ts';
import { makeGroups, removeGroups } from './groups.ts';

export interface ServerOptions {
  /** The server's name: its hostname, its network namespace, and its port at the bridge, so at most 15 characters. */
  readonly name: string;
  /** The root filesystem, which all servers share and none changes (`findRoot`). */
  readonly root: string;
  /** The folder of its disk; it must be empty or absent, lie on no overlay, and is removed at the end. */
  readonly folder: string;
  readonly network: Network;
  /** The bridge that its interface `host0` is plugged into. */
  readonly bridge: { readonly namespace: string; readonly device: string };
  /** The addresses of `host0`, with their prefix lengths. */
  readonly addresses: readonly string[];
  /** The routes of the server, in the words of `ip route add`: `default via 10.0.0.1`. */
  readonly routes?: readonly string[];
  /** Folders and files of this machine that the server has, read-only, by the path in the server: what all share, and nobody copies. */
  readonly shared?: Readonly<Record<string, string>>;
  /** How long a start may take; default 60 s, because machines of tests are loaded. */
  readonly bootTimeoutMs?: number;
}

/** Starts a server and resolves when its systemd has started everything. A start that fails leaves nothing. */
export async function bootServer(options: ServerOptions): Promise<Server> {
  const server = new Server(options);
  try {
    await server.powerOn();
    return server;
  } catch (error) {
    await server.remove();
    throw error;
  }
}

/** A machine with a systemd of its own, whose disk outlives power cuts. `bootServer` makes it. */
export class Server {
  readonly name: string;
  readonly #options: ServerOptions;
  readonly #console: string;
  #process: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #groups: readonly string[] = [];
  /** Process 1 of the server, as this process sees it. */
  #init: number | undefined;

  constructor(options: ServerOptions) {
    this.name = options.name;
    this.#options = options;
    this.#console = join(options.folder, 'console.log');
  }

  get running(): boolean {
    return this.#process !== undefined;
  }

  /** Starts a server that is off; resolves when its systemd has started everything, rejects when a unit failed. */
  async powerOn(): Promise<void> {
    if (this.running) throw new Error(`the server ${this.name} is on`);
    await mkdir(this.#options.folder, { recursive: true });
    await this.#plugIn();
    this.#groups = await makeGroups(`${this.name}-${randomBytes(4).toString('hex')}`);
    this.#launch();
    const timeoutMs = this.#options.bootTimeoutMs ?? 60_000;
    const missing = await stillMissing(() => this.#notUp(), { clock: systemClock, timeoutMs });
    if (missing !== undefined)
      throw new Error(`the server ${this.name} is not up: ${missing}\n${await this.#lastWords()}`);
  }

  /** Ends everything in the server at once, as a cut of its power does: what was written to the disk stays. Never rejects. */
  async powerCut(): Promise<void> {
    const first = await this.#firstProcess();
    if (first === undefined) this.#process?.kill('SIGKILL');
    else kill(first, 'SIGKILL');
    await this.#afterPower();
  }

  /** Shuts the server down; after `graceMs` its power is cut. Resolves with whether it ended by itself. */
  async powerOff(graceMs = 60_000): Promise<boolean> {
    if (this.#init === undefined) throw new Error(`the server ${this.name} is off`);
    // SIGRTMIN+4, by which systemd powers off; Node has no name for it.
    const init = String(this.#init);
    await new Promise((resolve) => execFile('kill', ['-s', 'RTMIN+4', init], resolve));
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      void this.powerCut();
    }, graceMs);
    await this.#ended;
    clearTimeout(timer);
    await this.#afterPower();
    return !late;
  }

  async restart(graceMs?: number): Promise<void> {
    await this.powerOff(graceMs);
    await this.powerOn();
  }

  /**
   * Runs a shell script in the server as root; resolves with its output, rejects with its errors when it fails. Each line of
   * both is also told when it comes.
   */
  async exec(script: string, input?: string, tell?: (line: string) => void): Promise<string> {
    if (this.#init === undefined) throw new Error(`the server ${this.name} is off`);
    // nsenter also enters the server's root, which is not that of the mount namespace.
    const enter = ['-t', String(this.#init), '-m', '-u', '-i', '-n', '-p', '-C', '-r', '-w', '--'];
    const shell = ['env', '-i', 'HOME=/root', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];
    return await new Promise((resolve, reject) => {
      const command = [...enter, ...shell, 'sh', '-euc', `cd /; ${script}`];
      const child = execFile('nsenter', command, { maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`${this.name}: ${script}: ${stderr}${stdout}${stderr === '' ? messageOf(error) : ''}`));
      });
      for (const input of [child.stdout, child.stderr])
        if (tell !== undefined && input !== null) createInterface({ input }).on('line', tell);
      child.stdin?.on('error', () => undefined); // A script that reads no input may end first.
      child.stdin?.end(input);
    });
  }

  /** Copies a file or a folder of this machine into the running server, with its permissions. */
  async copyIn(from: string, path: string): Promise<void> {
    const to = this.outside(path);
    await mkdir(dirname(to), { recursive: true });
    await cp(from, to, { recursive: true });
  }

  /** Writes a file of the running server; its folders are made. */
  async write(path: string, content: string, mode = 0o644): Promise<void> {
    const to = this.outside(path);
    await mkdir(dirname(to), { recursive: true });
    await writeFile(to, content, { mode });
  }

  /**
   * The path by which this process reads and writes a file of the server. While the server is off there are only files that differ from
   * the root filesystem, and nobody may write. Absolute symbolic links on the way would lead out of the server.
   */
  outside(path: string): string {
    return this.#init === undefined
      ? join(this.#options.folder, 'upper', path)
      : join('/proc', String(this.#init), 'root', path);
  }

  /** Cuts the power and removes the disk. Never rejects. */
  async remove(): Promise<void> {
    await this.powerCut();
    await rm(this.#options.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }).catch(
      () => undefined,
    );
  }

  /** Makes the network namespace, with `host0` in it plugged into the bridge. */
  async #plugIn(): Promise<void> {
    const { network, bridge, addresses, routes = [] } = this.#options;
    await network.addNamespace(this.name);
    await network.link({ namespace: this.name, device: 'host0' }, { namespace: bridge.namespace, device: this.name });
    await network.ip(bridge.namespace, 'link', 'set', this.name, 'master', bridge.device);
    await network.batch(this.name, [
      ...addresses.map((address) => `address add ${address} dev host0 ${address.includes(':') ? 'nodad' : ''}`),
      ...routes.map((route) => `route add ${route}`),
    ]);
  }

  #launch(): void {
    const { network, root, folder, shared = {} } = this.#options;
    const binds = Object.entries(shared).map(([path, from]) => `--bind-ro=${from}:${path}`);
    const console = openSync(this.#console, 'a');
    const dieWithOwner = ['--pdeathsig', 'KILL', '--'];
    const namespaces = ['--mount', '--pid', '--mount-proc', '--fork', '--kill-child=KILL', '--'];
    const script = [join(import.meta.dirname, 'server.sh'), root, folder, this.name, ...this.#groups, '--', ...binds];
    const args = [...dieWithOwner, 'unshare', ...namespaces, 'sh', ...script];
    const child = network.spawn(this.name, 'setpriv', args, { stdio: ['ignore', console, console], detached: true });
    closeSync(console);
    this.#process = child;
    this.#ended = new Promise((resolve) => {
      child.once('exit', () => resolve());
      child.once('error', () => resolve());
    });
  }

  async #notUp(): Promise<string | undefined> {
    if (this.#process?.exitCode !== null || this.#process.signalCode !== null) {
      throw new Error(`the server ${this.name} ended while it started:\n${await this.#lastWords()}`);
    }
    const first = await this.#firstProcess();
    const init = first === undefined ? undefined : await childOf(first);
    if (init === undefined || (await nameOf(init)) !== 'systemd') return 'it has no process 1';
    this.#init = init;
    const state = await this.exec('systemctl is-system-running 2>&1 || true');
    if (state.trim() === 'running') return undefined;
    if (state.trim() === 'degraded') throw new Error(await this.exec('systemctl --failed --no-legend --plain'));
    return state;
  }

  /** The process 1 of the namespace that `unshare` made: systemd-nspawn, whose child is the server's process 1. */
  async #firstProcess(): Promise<number | undefined> {
    const pid = this.#process?.pid;
    return pid === undefined ? undefined : await childOf(pid);
  }

  /** Waits until everything ended, and removes what only a server that is on has. */
  async #afterPower(): Promise<void> {
    const { network, bridge } = this.#options;
    await this.#ended;
    this.#process = undefined;
    this.#init = undefined;
    await removeGroups(this.#groups);
    this.#groups = [];
    // Connections that were cut keep the namespace, and what it has, for minutes: its plug is pulled first.
    await network.ip(this.name, 'link', 'del', 'host0').catch(() => undefined);
    await network.removeNamespace(this.name).catch(() => undefined);
    // The kernel removes the other end at the bridge a little later.
    const missing = (): Promise<string | undefined> =>
      network.ip(bridge.namespace, 'link', 'show', 'dev', this.name).then(
        () => 'the port is there',
        () => undefined,
      );
    await stillMissing(missing, { clock: systemClock, timeoutMs: 60_000, everyMs: 20 });
  }

  async #lastWords(): Promise<string> {
    const file = await open(this.#console).catch(() => undefined);
    if (file === undefined) return '';
    try {
      const { size } = await file.stat();
      const { buffer, bytesRead } = await file.read(Buffer.alloc(4000), 0, 4000, Math.max(0, size - 4000));
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  }
}

async function childOf(pid: number): Promise<number | undefined> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const first = Number(children.trim().split(' ')[0]);
  return first > 0 ? first : undefined;
}

async function nameOf(pid: number): Promise<string> {
  return (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim();
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself between the two calls.
  }
}
