import { spawn } from 'node:child_process';
import { type PowerDns, startPowerDns } from '../../../lab/daemons/powerdns.ts';
import { withoutUndefined } from '../../../src/model/values.ts';
import { systemClock } from '../../../src/runtime/clock.ts';

/** Starts a PowerDNS of the test's own, whose health checks come every second. The caller stops it and removes the folder. */
export async function testPowerDns(options: {
  readonly directory: string;
  readonly dns: { readonly host: string; readonly port: number };
  readonly apiPort: number;
  readonly zones: readonly string[];
  /** The folder of the server whose database it shares. */
  readonly databaseOf?: string;
}): Promise<PowerDns> {
  const { directory, dns, apiPort, zones, databaseOf } = options;
  return await startPowerDns({
    spawn: (command, args) => spawn(command, args, { stdio: 'ignore' }),
    clock: systemClock,
    directory,
    address: dns.host,
    port: dns.port,
    apiPort,
    apiKey: 'secret',
    zones,
    healthIntervalSeconds: 1,
    ...withoutUndefined({ databaseOf }),
  });
}
