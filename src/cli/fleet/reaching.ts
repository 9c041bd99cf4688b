import type { Command } from 'commander';
import type { Reach } from '../../planes/fleet/run/reach.ts';

export interface ReachArguments {
  readonly saltConfig?: string;
}

/** The options by which servers are reached: a Salt master on this machine. */
export function addReachOptions(command: Command): Command {
  return command.option(
    '--salt-config <folder>',
    'the configuration of the Salt master on this machine (default: /etc/salt)',
  );
}

export async function reachOf({ saltConfig }: ReachArguments): Promise<Reach> {
  const { reachBySalt } = await import('../../planes/fleet/run/salt.ts');
  return reachBySalt(saltConfig === undefined ? {} : { configFolder: saltConfig });
}
