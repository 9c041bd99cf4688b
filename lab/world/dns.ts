import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Clock } from '../../src/runtime/clock.ts';
import { startPowerDns } from '../daemons/powerdns.ts';
import type { Supervisor } from '../supervise.ts';
import { compression } from './platform.ts';
import { nameServers } from './topology.ts';

const run = promisify(execFile);

export interface NameServersOptions {
  readonly supervisor: Supervisor;
  readonly clock: Clock;
  readonly runFolder: string;
  readonly zone: string;
  readonly node: string;
  readonly tideline: string;
  readonly environment: Readonly<Record<string, string>>;
}

const route53Api = `http://${nameServers.route53}:8080`;
const powerdnsPort = 8081;
/** Credentials for both name servers. Only the lab can reach these, and the emulator takes any credentials. */
const secrets = { AWS_ACCESS_KEY_ID: 'LAB', AWS_SECRET_ACCESS_KEY: 'lab', POWERDNS_API_KEY: 'lab' };

/** The environment by which `tideline steering plan`, `apply` and `tideline why` reach the lab's name servers, and no others. */
export const dnsEnvironment = {
  ...secrets,
  AWS_ENDPOINT_URL_ROUTE_53: route53Api,
  POWERDNS_API_URL: `http://${nameServers.powerdns}:${powerdnsPort}`,
  TIDELINE_NAME_SERVERS: [nameServers.route53, nameServers.powerdns].join(','),
} as const;

/** Starts both name servers with an empty zone each, and resolves when both can be written to. */
export async function startNameServers(options: NameServersOptions): Promise<void> {
  await Promise.all([startRoute53(options), startPower(options)]);
}

async function startRoute53({ supervisor, node, zone, environment }: NameServersOptions): Promise<void> {
  const { namespace, route53 } = nameServers;
  const folder = join(import.meta.dirname, '..');
  supervisor.start({
    name: 'dns/route53',
    namespace,
    command: node,
    arguments: [
      join(folder, 'daemons', 'route53', 'main.ts'),
      '--api',
      `${route53}:8080`,
      '--dns',
      `${route53}:53`,
      '--time-compression',
      String(compression.healthFactor),
      '--rate',
      String(5 * compression.healthFactor),
      '--burst',
      String(5 * compression.healthFactor),
      '--allow-private-endpoints',
    ],
  });
  await run(node, [join(folder, 'world', 'create-zone.ts'), route53Api, zone], {
    env: { ...environment, ...secrets },
  });
}

async function startPower({ supervisor, clock, runFolder, zone }: NameServersOptions): Promise<void> {
  const { namespace, powerdns } = nameServers;
  await startPowerDns({
    spawn: (command, args) => supervisor.start({ name: 'dns/powerdns', namespace, command, arguments: args }),
    clock,
    directory: join(runFolder, 'powerdns'),
    address: powerdns,
    port: 53,
    apiPort: powerdnsPort,
    apiKey: secrets.POWERDNS_API_KEY,
    zones: [zone],
    healthIntervalSeconds: Math.max(1, Math.round(5 / compression.healthFactor)),
  });
}

/** Plans and applies as an operator does: `tideline steering plan`, then `tideline steering apply --plan CHECKSUM`. Resolves with the plan's text. */
export async function planAndApply(options: {
  readonly tideline: string;
  readonly platformFolder: string;
  readonly environment: Readonly<Record<string, string>>;
}): Promise<string> {
  const env = { ...options.environment, ...dnsEnvironment };
  const plan = await run(options.tideline, ['plan', options.platformFolder], { env });
  const checksum = /\b([0-9a-f]{16})\b\s*$/.exec(plan.stdout)?.[1];
  if (checksum === undefined) throw new Error(`tideline steering plan printed no checksum:\n${plan.stdout}`);
  const apply = ['apply', options.platformFolder, '--plan', checksum];
  const approvals = ['--approve-share', '1', '--approve-failover', '1'];
  // The lab is not up yet: entries become healthy while it starts, and answers follow.
  await run(options.tideline, [...apply, ...approvals, '--no-ask'], { env });
  return plan.stdout;
}
