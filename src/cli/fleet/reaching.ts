import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { Reach } from '../../planes/fleet/run/reach.ts';
import { compilePaths } from './compiled.ts';

export interface ReachArguments {
  readonly saltConfig?: string;
  readonly ssh?: true;
  readonly sshConfig?: string;
  readonly saltFiles?: string;
}

/** The options by which servers are reached: a Salt master on this machine, or ssh where there is none. */
export function addReachOptions(command: Command): Command {
  return command
    .option('--salt-config <folder>', 'the configuration of the Salt master on this machine (default: /etc/salt)')
    .addOption(
      new Option('--ssh', 'reach servers by ssh: there is no Salt master, or it is not to be used').conflicts(
        'saltConfig',
      ),
    )
    .addOption(
      new Option('--ssh-config <file>', 'with --ssh: its configuration (default: ~/.ssh/config)').implies({
        ssh: true,
      }),
    )
    .addOption(
      new Option(
        '--salt-files <folder>',
        'with --ssh: what the file server of Salt had, for servers that lack it',
      ).implies({ ssh: true }),
    );
}

/** Our folder `salt`. */
const salt = resolve(import.meta.dirname, '..', '..', '..', 'salt');

export async function reachOf(
  { saltConfig, ssh, sshConfig, saltFiles }: ReachArguments,
  paths: readonly string[],
  folder: string,
): Promise<Reach> {
  if (ssh !== true) {
    const { reachBySalt } = await import('../../planes/fleet/run/salt.ts');
    return reachBySalt(saltConfig === undefined ? {} : { configFolder: saltConfig });
  }
  const { readDocuments } = await import('../../planes/fleet/folder.ts');
  const { reachBySsh } = await import('../../planes/fleet/run/ssh.ts');
  const { roster } = await compilePaths(paths);
  const before = await readDocuments(folder);
  return reachBySsh({
    folder,
    salt,
    // A server that leaves is in the folder alone.
    addressOf: (server) => roster[server]?.host ?? before.get(server)?.server.addresses[0],
    ...(saltFiles === undefined ? {} : { files: saltFiles }),
    ...(sshConfig === undefined ? {} : { config: sshConfig }),
  });
}
