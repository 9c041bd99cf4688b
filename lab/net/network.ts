import { type ChildProcess, execFile, type SpawnOptions, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { withoutUndefined } from '../../src/model/values.ts';

const run = promisify(execFile);

/** The prefix of the names of a lab's namespaces: it has a box to itself. */
export const labNetworks = 'tl';

export interface SpawnInNamespace {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** The same as for child_process.spawn; by default there is no input and both outputs are ignored. */
  readonly stdio?: SpawnOptions['stdio'];
  /** Gives the process a session of its own: signals of the terminal do not reach it, and its process group's id is its own. */
  readonly detached?: boolean;
}

/**
 * Network namespaces with their links and the processes that run in them, ended together by `destroy`. Names carry the
 * prefix, so that several networks live beside each other on one machine. Needs `ip`, `nsenter`, and the right to make
 * namespaces (root, or a user namespace with a private /run).
 */
export class Network {
  readonly prefix: string;
  readonly #namespaces = new Set<string>();
  readonly #processes = new Set<ChildProcess>();

  constructor(prefix = `tl${process.pid}`) {
    this.prefix = prefix;
  }

  /** The kernel's name of a namespace, as `ip netns` shows it. */
  kernelName(namespace: string): string {
    return `${this.prefix}-${namespace}`;
  }

  async addNamespace(namespace: string): Promise<void> {
    await run('ip', ['netns', 'add', this.kernelName(namespace)]);
    this.#namespaces.add(namespace);
    await this.ip(namespace, 'link', 'set', 'lo', 'up');
  }

  /** Names the namespace of this process, so that links can be made to it. `destroy` spares it. */
  async adoptOwn(namespace: string): Promise<void> {
    await run('ip', ['netns', 'attach', this.kernelName(namespace), String(process.pid)]);
  }

  /** Removes the namespace with its ends of links, so that the peers lose their carrier. Its processes are not touched. */
  async removeNamespace(namespace: string): Promise<void> {
    await run('ip', ['netns', 'del', this.kernelName(namespace)]);
    this.#namespaces.delete(namespace);
  }

  /** Makes a veth pair with both ends up: interface `a.device` in `a.namespace`, `b.device` in `b.namespace`. */
  async link(
    a: { readonly namespace: string; readonly device: string },
    b: { readonly namespace: string; readonly device: string },
  ): Promise<void> {
    await this.ip(
      a.namespace,
      'link',
      'add',
      'name',
      a.device,
      'type',
      'veth',
      'peer',
      'name',
      b.device,
      'netns',
      this.kernelName(b.namespace),
    );
    await this.ip(a.namespace, 'link', 'set', a.device, 'up');
    await this.ip(b.namespace, 'link', 'set', b.device, 'up');
  }

  /** Runs `ip ARGS` in the namespace; resolves with its output. */
  async ip(namespace: string, ...args: readonly string[]): Promise<string> {
    const { stdout } = await run('ip', ['-n', this.kernelName(namespace), ...args], { maxBuffer: 64 << 20 });
    return stdout;
  }

  /** Runs many `ip` commands in the namespace in one process, in order; rejects with the first one that fails. */
  async batch(namespace: string, lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    const child = run('ip', ['-n', this.kernelName(namespace), '-batch', '-']);
    child.child.stdin?.end(`${lines.join('\n')}\n`);
    await child;
  }

  /** Sets kernel parameters of the namespace, `net.ipv4.ip_forward=1`. Names of devices in them must have no dots. */
  async sysctl(namespace: string, settings: readonly string[]): Promise<void> {
    const writes = settings.map((setting) => {
      const [name = '', value = ''] = setting.split('=');
      return `echo ${value} >/proc/sys/${name.replaceAll('.', '/')}`;
    });
    await this.exec(namespace, 'sh', '-c', writes.join(' && '));
  }

  /**
   * Runs a command in the namespace to its end; rejects with its standard error when it fails. Its standard input is a socket, for which
   * bash takes itself for a remote shell and reads ~/.bashrc: give it `--norc`.
   */
  async exec(namespace: string, command: string, ...args: readonly string[]): Promise<string> {
    const { stdout } = await run('nsenter', [this.#flag(namespace), '--', command, ...args], { maxBuffer: 64 << 20 });
    return stdout;
  }

  /** Starts a process in the namespace; it is the direct child of this process, because nsenter executes it in its own place. */
  spawn(namespace: string, command: string, args: readonly string[], options: SpawnInNamespace = {}): ChildProcess {
    const child = spawn('nsenter', [this.#flag(namespace), '--', command, ...args], {
      stdio: options.stdio ?? 'ignore',
      detached: options.detached ?? false,
      ...withoutUndefined({ cwd: options.cwd }),
      env: { ...process.env, ...options.env },
    });
    this.#processes.add(child);
    child.once('exit', () => this.#processes.delete(child));
    child.once('error', () => this.#processes.delete(child));
    return child;
  }

  /** Kills every process that was spawned here or lives in one of the namespaces, then the namespaces. Never rejects. */
  async destroy(): Promise<void> {
    for (const child of this.#processes) child.kill('SIGKILL');
    for (const namespace of this.#namespaces) {
      for (const pid of await this.pids(namespace)) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // The process ended by itself between the two calls.
        }
      }
      await run('ip', ['netns', 'del', this.kernelName(namespace)]).catch(() => undefined);
    }
    this.#namespaces.clear();
  }

  /** The processes that live in the namespace, by id. */
  async pids(namespace: string): Promise<readonly number[]> {
    const { stdout } = await run('ip', ['netns', 'pids', this.kernelName(namespace)]).catch(() => ({ stdout: '' }));
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map(Number);
  }

  #flag(namespace: string): string {
    return `--net=/run/netns/${this.kernelName(namespace)}`;
  }
}
