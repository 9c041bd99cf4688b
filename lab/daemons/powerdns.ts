import { type ChildProcess, execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { databaseFile } from '../../src/geo/lookup.ts';
import { continentOf } from '../../src/model/geo/countries.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { toGeoIpCountryLayout } from '../geo/database.ts';
import { stillMissing } from '../missing.ts';

const run = promisify(execFile);

/** A real pdns_server with an LMDB backend, LUA records, the client subnet and country answers. */
export interface PowerDns {
  readonly process: ChildProcess;
  readonly apiUrl: string;
  readonly apiKey: string;
  /** Ends the server and waits until it is gone. */
  stop(): Promise<void>;
}

export interface PowerDnsOptions {
  /** Starts the server in its network namespace, e.g. `network.spawn(namespace, command, args)`. */
  readonly spawn: (command: string, args: readonly string[]) => ChildProcess;
  readonly clock: Clock;
  /** The server's own folder, for configuration, zones and sockets; made when absent. */
  readonly directory: string;
  /** The address of its DNS service and, on another port, of its HTTP API. */
  readonly address: string;
  readonly port: number;
  readonly apiPort: number;
  readonly apiKey: string;
  /** The folder of another server whose database this one reads and writes as well, as with native replication; absent: one of its own. */
  readonly databaseOf?: string;
  /** Zones to create, each empty but for SOA and NS. */
  readonly zones: readonly string[];
  /** How often LUA records check an address; 5 in production, less in a lab with compressed time. */
  readonly healthIntervalSeconds: number;
}

/**
 * Starts PowerDNS and resolves when its control socket answers. The API may then be used from the server's network
 * namespace. Needs pdns-server, pdns-backend-lmdb and pdns-backend-geoip.
 */
export async function startPowerDns(options: PowerDnsOptions): Promise<PowerDns> {
  const { directory } = options;
  await mkdir(directory, { recursive: true });
  const database = join(directory, 'country.mmdb');
  await writeFile(database, toGeoIpCountryLayout(await readFile(databaseFile()), continentOf));
  await writeFile(join(directory, 'pdns.conf'), configuration(options, database));
  for (const zone of options.zones) {
    await run('pdnsutil', [`--config-dir=${directory}`, 'create-zone', zone, `ns1.${zone}`]);
  }
  const process = options.spawn('pdns_server', [`--config-dir=${directory}`]);
  const ended = new Promise<void>((resolve) => {
    process.once('exit', () => resolve());
    process.once('error', () => resolve());
  });
  const stop = async (): Promise<void> => {
    process.kill('SIGKILL');
    await ended;
  };
  try {
    await waitUntilAlive(process, options);
  } catch (error) {
    await stop();
    throw error;
  }
  return { process, apiUrl: `http://${options.address}:${options.apiPort}`, apiKey: options.apiKey, stop };
}

async function waitUntilAlive(process: ChildProcess, options: PowerDnsOptions): Promise<void> {
  const missing = async (): Promise<string | undefined> => {
    if (process.exitCode !== null || process.signalCode !== null) throw new Error('pdns_server ended at its start');
    const pong = await run('pdns_control', [`--config-dir=${options.directory}`, 'rping']).catch(() => undefined);
    return pong?.stdout.includes('PONG') === true ? undefined : 'an answer';
  };
  const word = await stillMissing(missing, { clock: options.clock, timeoutMs: 10_000, everyMs: 50 });
  if (word !== undefined) throw new Error('pdns_server did not answer on its control socket within 10 s');
}

function configuration(options: PowerDnsOptions, database: string): string {
  const { directory } = options;
  const settings: Record<string, string | number> = {
    launch: 'lmdb,geoip',
    'lmdb-filename': join(options.databaseOf ?? directory, 'zones.lmdb'),
    'lmdb-shards': 1,
    'lmdb-map-size': 64,
    'lmdb-sync-mode': 'nosync',
    'geoip-database-files': database,
    'enable-lua-records': 'yes',
    'lua-records-exec-limit': 10_000,
    'lua-health-checks-interval': options.healthIntervalSeconds,
    'edns-subnet-processing': 'yes',
    'local-address': options.address,
    'local-port': options.port,
    'socket-dir': directory,
    api: 'yes',
    'api-key': options.apiKey,
    'webserver-address': options.address,
    'webserver-port': options.apiPort,
    'webserver-allow-from': '0.0.0.0/0,::/0',
    'cache-ttl': 0,
    'query-cache-ttl': 0,
    'negquery-cache-ttl': 0,
    'zone-cache-refresh-interval': 0,
    daemon: 'no',
    guardian: 'no',
    'disable-syslog': 'yes',
    'write-pid': 'no',
    loglevel: 4,
    'security-poll-suffix': '',
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
