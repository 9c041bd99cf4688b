import { join } from 'node:path';
import type { Clock } from '../../runtime/clock.ts';
import { startPowerDns } from '../daemons/powerdns.ts';
import type { Supervisor } from '../supervise.ts';
import { compression } from './platform.ts';
import { nameServers } from './topology.ts';

export interface NameServersOptions {
  readonly supervisor: Supervisor;
  readonly clock: Clock;
  readonly runFolder: string;
  readonly zone: string;
  readonly node: string;
}

/** How commands reach the name servers: the environment of `tideline plan` and `tideline apply`. */
export type DnsEnvironment = Readonly<Record<string, string>>;

const apiKey = 'lab';
const apiPort = 8081;

/** Starts both name servers with an empty zone each, and resolves when both can be written to. */
export async function startNameServers(options: NameServersOptions): Promise<DnsEnvironment> {
  const { supervisor, clock, runFolder, zone } = options;
  await startPowerDns({
    spawn: (command, args) =>
      supervisor.start({ name: 'dns/powerdns', namespace: nameServers.namespace, command, arguments: args }),
    clock,
    directory: join(runFolder, 'powerdns'),
    address: nameServers.powerdns,
    port: 53,
    apiPort,
    apiKey,
    zones: [zone],
    healthIntervalSeconds: Math.max(1, Math.round(5 / compression.healthFactor)),
  });
  return {};
}
