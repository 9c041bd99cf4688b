import type { ChildProcess } from 'node:child_process';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Network } from '../../../lab/net/network.ts';
import { eventually, NotYet } from '../eventually.ts';

const run = promisify(execFile);
const repository = resolve(import.meta.dirname, '../../..');
const script = join(import.meta.dirname, 'machine.sh');

/** The result of a command in the machine. */
export interface Outcome {
  readonly code: number;
  readonly output: string;
}

/**
 * A server with a real systemd, in a namespace of a Network. It has this machine's packages and the repository on
 * /opt/tideline, and nothing outlives it (a killed test leaves an empty control group and a folder in /tmp). It needs root for
 * a control group of its own.
 */
export class Machine {
  /** The folder that the machine has as /mnt. */
  readonly shared: string;
  readonly #process: ChildProcess;
  readonly #group: string;
  #init = -1;

  private constructor(shared: string, group: string, process: ChildProcess) {
    this.shared = shared;
    this.#group = group;
    this.#process = process;
  }

  static async boot(network: Network, namespace: string): Promise<Machine> {
    const shared = await mkdtemp(join(tmpdir(), 'machine-'));
    // The name is unique, because control groups belong to the whole machine, where another network may have the same names. The
    // group lies inside ours, so that its processor time is counted as the test's (tools/test/meter.ts).
    const group = join(await ownGroup(), `tideline-${basename(shared)}`);
    const flags = ['--mount', '--pid', '--uts', '--ipc', '--fork', '--kill-child'];
    const child = network.spawn(namespace, 'unshare', [...flags, 'sh', script, repository, shared, group], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const machine = new Machine(shared, group, child);
    try {
      await machine.#waitUp(() => said);
    } catch (error) {
      await machine.stop();
      throw error;
    }
    return machine;
  }

  async #waitUp(said: () => string): Promise<void> {
    const patience = { timeoutMs: 60_000, everyMs: 100, onError: 'fail', show: said } as const;
    await eventually('the machine is up', () => this.#isUp(said), patience);
  }

  async #isUp(said: () => string): Promise<true> {
    if (this.#process.exitCode !== null) throw new Error(`the machine ended: ${said()}`);
    const task = `/proc/${this.#process.pid}/task/${this.#process.pid}/children`;
    const children = await readFile(task, 'utf8').catch(() => '');
    this.#init = Number(children.trim().split(' ')[0] || -1);
    if (this.#init <= 0) throw new NotYet('it has no init');
    const { output } = await this.try('systemctl is-active machine.target');
    if (output.trim() !== 'active') throw new NotYet(output);
    return true;
  }

  /** Runs a shell script in the machine, in its own namespaces, as root. */
  async try(commands: string): Promise<Outcome> {
    // nsenter also enters the machine's root: where the test runs in a chroot, the root of the mount namespace is another one.
    const enter = ['-t', String(this.#init), '-m', '-u', '-i', '-n', '-p', '-C', '-r', '-w', '--'];
    const shell = ['env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'sh', '-euc', `cd /; exec 2>&1; ${commands}`];
    return await new Promise((done) => {
      const child = execFile('nsenter', [...enter, ...shell], { maxBuffer: 16 << 20 }, (_error, stdout) =>
        done({ code: child.exitCode ?? -1, output: stdout }),
      );
    });
  }

  /** Does the same as `try`, but rejects with the output when the script fails. */
  async sh(commands: string): Promise<string> {
    const { code, output } = await this.try(commands);
    if (code !== 0) throw new Error(`${commands} ended with ${code}: ${output}`);
    return output;
  }

  async journal(unit: string): Promise<string> {
    return (await this.try(`journalctl --no-pager -o cat -n 200 -u ${unit}`)).output;
  }

  /** Ends everything in the machine at once. Never rejects. */
  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const ended = new Promise((done) => {
        this.#process.once('exit', done);
      });
      this.#process.kill('SIGKILL');
      await ended;
    }
    await removeGroup(this.#group);
    await rm(this.shared, { recursive: true, force: true });
  }
}

/** The path of this process's control group (v2) below the root group. */
async function ownGroup(): Promise<string> {
  return /^0::(.*)$/m.exec(await readFile('/proc/self/cgroup', 'utf8'))?.[1] ?? '/';
}

/** Removes a machine's control groups, once the processes in them are gone. */
async function removeGroup(group: string): Promise<void> {
  const at = await mkdtemp(join(tmpdir(), 'cgroup-'));
  const remove = `for i in 1 2 3 4 5 6 7 8 9 10; do find "$1/$2" -depth -type d -exec rmdir {} + 2>/dev/null; [ -d "$1/$2" ] || break; sleep 0.2; done`;
  try {
    await run('mount', ['-n', '-t', 'cgroup2', 'cgroup2', at]);
    await run('sh', ['-c', remove, 'sh', at, group]);
    await run('umount', ['-n', at]);
  } catch {
    // A machine that failed early has no control group.
  }
  await rm(at, { recursive: true, force: true });
}
