import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Daemon, startDaemon } from '../../../lab/daemons/process.ts';
import type { Network } from '../../../lab/net/network.ts';
import { waitReady } from './ready.ts';

const run = promisify(execFile);

export interface FrrOptions {
  readonly network: Network;
  readonly namespace: string;
  /** A folder `<name>.frr` is made in it, with the configurations, sockets and logs; a unix socket's path may have 107 bytes. */
  readonly directory: string;
  /** By default the namespace. */
  readonly name?: string;
  /** The whole bgpd.conf, as `renderBgpd` makes it. */
  readonly config: string;
}

export interface Frr {
  readonly bgpd: Daemon;
  /** Runs `show …` in vtysh, and resolves with what FRR prints as JSON; the command needs no `json` at its end. */
  show(command: string): Promise<unknown>;
  /** Runs commands below `configure terminal`. */
  configure(...commands: readonly string[]): Promise<void>;
  /** Ends bgpd and zebra. */
  stop(): Promise<void>;
}

/**
 * Starts zebra and bgpd in the foreground, without watchfrr; resolves when bgpd answers. Both leave the machine's own FRR alone:
 * their sockets are in the folder. FRR wants its user in the group `frrvty`, and writes crash logs to /var/tmp, so each has a mount
 * namespace of its own, where that group is root's and /var/tmp is the folder.
 */
export async function startFrr(options: FrrOptions): Promise<Frr> {
  const folder = join(options.directory, `${options.name ?? options.namespace}.frr`);
  await mkdir(folder, { recursive: true });
  const groups = (await readFile('/etc/group', 'utf8')).split('\n').filter((line) => !line.startsWith('frrvty:'));
  await writeFile(join(folder, 'group'), [...groups, 'frrvty:x:0:root', ''].join('\n'));
  await writeFile(join(folder, 'zebra.conf'), 'log stdout\n');
  await writeFile(join(folder, 'bgpd.conf'), `log stdout\n${options.config}`);
  const start = (name: 'zebra' | 'bgpd'): Daemon => startInFolder(options, folder, name);
  const vtysh = async (daemon: string, ...commands: readonly string[]): Promise<string> => {
    const args = commands.flatMap((command) => ['-c', command]);
    const { stdout } = await run('vtysh', ['--vty_socket', folder, '-d', daemon, ...args], { maxBuffer: 64 << 20 });
    return stdout;
  };
  const zebra = start('zebra');
  await waitReady(zebra, async () => (await vtysh('zebra', 'show version')).includes('FRRouting'), 10_000);
  const bgpd = start('bgpd');
  const show = async (command: string): Promise<unknown> => JSON.parse(await vtysh('bgpd', `${command} json`));
  await waitReady(bgpd, async () => (await show('show bgp summary')) !== undefined, 10_000);
  return {
    bgpd,
    show,
    async configure(...commands) {
      await vtysh('bgpd', 'configure terminal', ...commands);
    },
    async stop() {
      await bgpd.stop();
      await zebra.stop();
    },
  };
}

function startInFolder(options: FrrOptions, folder: string, name: 'zebra' | 'bgpd'): Daemon {
  const mounts = 'mount --bind "$0/group" /etc/group && mount --bind "$0" /var/tmp && exec "$@"';
  const file = (suffix: string): string => join(folder, `${name}.${suffix}`);
  return startDaemon({
    network: options.network,
    namespace: options.namespace,
    command: 'unshare',
    args: [
      '--mount',
      '--propagation',
      'private',
      'sh',
      '-c',
      mounts,
      folder,
      `/usr/lib/frr/${name}`,
      '-u',
      'root',
      '-g',
      'root',
      '-f',
      file('conf'),
      '-i',
      file('pid'),
      '-z',
      join(folder, 'zserv.api'),
      '--vty_socket',
      folder,
    ],
    logFile: file('log'),
  });
}
