import { readdir, readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { runFiles } from '../../src/model/contract.ts';
import type { Network } from '../net/network.ts';
import { type Daemon, startDaemon, waitReady } from './process.ts';

/**
 * The command that runs a rendered data plane in the foreground, as a unit of systemd would: nginx does not remove the
 * control socket that a killed nginx left behind, so that goes first.
 */
export function nginxCommand(options: { readonly rendered: string; readonly runDir: string }): {
  readonly command: string;
  readonly args: readonly string[];
} {
  const { rendered, runDir } = options;
  const script = `rm -f "$1/${runFiles.nginxSocket}" && exec nginx -e stderr -p "$2/" -c "$2/nginx.conf"`;
  return { command: 'sh', args: ['-c', script, 'nginx', runDir, rendered] };
}

export interface NginxOptions {
  readonly network: Network;
  readonly namespace: string;
  /** The folder that `tideline edge render` wrote. */
  readonly rendered: string;
  /** The run directory it was rendered for; must exist. Gets `nginx.log` with what nginx says on standard error. */
  readonly runDir: string;
}

export interface Nginx {
  readonly daemon: Daemon;
  readonly masterPid: number;
  readonly controlSocket: string;
  /** The processes that serve requests, newest configuration only or of several while a reload is under way. */
  workerPids(): Promise<readonly number[]>;
  /** How often this nginx was reloaded since it started, as it counts itself. */
  reloads(): Promise<number>;
  /** SIGKILL to the master and all its processes at once, as the end of a unit's control group. */
  kill(): Promise<void>;
  /** Fast shutdown. */
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
    // It ended by itself between the two calls.
  }
}

interface ControlStatus {
  /** Another one with every start of nginx; a reload keeps it. */
  readonly instance: string;
  readonly reloads: number;
}

/** What nginx says of itself over its control socket; undefined when it does not answer. */
export function controlStatus(socketPath: string): Promise<ControlStatus | undefined> {
  return new Promise((resolve) => {
    const call = request({ socketPath, path: '/v1/status', timeout: 2000 }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve(readStatus(body)));
      response.on('error', () => resolve(undefined));
    });
    call.on('timeout', () => call.destroy());
    call.on('error', () => resolve(undefined));
    call.end();
  });
}

function readStatus(body: string): ControlStatus | undefined {
  let status: unknown;
  try {
    status = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof status !== 'object' || status === null || !('reloads' in status) || !('instance' in status))
    return undefined;
  const { instance, reloads } = status;
  return typeof reloads === 'number' && typeof instance === 'string' ? { instance, reloads } : undefined;
}
