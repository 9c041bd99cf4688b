import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { controlStatus, nginxCommand } from '../../../lab/daemons/nginx.ts';
import { type Daemon, startDaemon } from '../../../lab/daemons/process.ts';
import type { Network } from '../../../lab/net/network.ts';
import { runFiles } from '../../../src/model/contract.ts';
import { waitReady } from './ready.ts';

export interface NginxOptions {
  readonly network: Network;
  readonly namespace: string;
  /** The folder that `tideline edge render` wrote. */
  readonly rendered: string;
  /** The run directory it was rendered for; must exist. nginx's standard error goes to `nginx.log` in it. */
  readonly runDir: string;
}

export interface Nginx {
  readonly daemon: Daemon;
  readonly masterPid: number;
  readonly controlSocket: string;
  /** The worker processes; while a reload is under way, those of several configurations. */
  workerPids(): Promise<readonly number[]>;
  /** How often this nginx was reloaded since it started, by its own count. */
  reloads(): Promise<number>;
  /** Sends SIGKILL to the master and all its processes at once, as the end of a unit's control group does. */
  kill(): Promise<void>;
  /** Ends nginx by a fast shutdown. */
  stop(): Promise<void>;
}

/** Starts nginx in the namespace; resolves when its control socket answers. */
export async function startNginx(options: NginxOptions): Promise<Nginx> {
  const { network, namespace, runDir } = options;
  const daemon = startDaemon({
    network,
    namespace,
    ...nginxCommand(options),
    logFile: join(runDir, 'nginx.log'),
  });
  const controlSocket = join(runDir, runFiles.nginxSocket);
  const processes = (): Promise<readonly number[]> => childrenOf(daemon.pid);
  const kill = async (): Promise<void> => {
    const workers = await processes();
    daemon.kill('SIGKILL');
    for (const pid of workers) signal(pid, 'SIGKILL');
    await daemon.exited;
  };
  try {
    await waitReady(daemon, async () => (await controlStatus(controlSocket)) !== undefined, 15_000);
  } catch (error) {
    await kill();
    throw error;
  }
  return {
    daemon,
    masterPid: daemon.pid,
    controlSocket,
    async workerPids() {
      const titles = await Promise.all(
        (await processes()).map(async (pid) => ({
          pid,
          title: await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''),
        })),
      );
      return titles.filter(({ title }) => title.includes('worker process')).map(({ pid }) => pid);
    },
    async reloads() {
      return (await controlStatus(controlSocket))?.reloads ?? Number.NaN;
    },
    kill,
    stop: () => daemon.stop(),
  };
}

async function childrenOf(pid: number): Promise<readonly number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')),
  );
  return lists
    .flatMap((list) => list.split(' '))
    .filter((word) => word.trim() !== '')
    .map(Number);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // The process ended by itself between the two calls.
  }
}
