import { CreateHostedZoneCommand } from '@aws-sdk/client-route-53';
import { type Emulator, type EmulatorOptions, startEmulator } from '../../../lab/emulators/route53/emulator.ts';
import { labStateOf } from '../../../lab/geo/states.ts';
import { countryOf } from '../../../src/geo/lookup.ts';
import { route53Client } from '../../../src/planes/steering/providers/route53/client.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLog } from '../../../src/runtime/log.ts';

export const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };

/** An emulator on ports of its own: time is 50 times as fast, one checker watches each endpoint, and the API has no limits. */
export function testEmulator(options: Partial<EmulatorOptions> = {}): Promise<Emulator> {
  return startEmulator({
    api: { host: '127.0.0.1', port: 0 },
    dns: { host: '127.0.0.1', port: 0 },
    timeCompression: 50,
    insyncDelayMs: 50,
    rate: 0,
    burst: 50,
    checkers: 1,
    allowPrivateEndpoints: true,
    countryOf,
    stateOf: labStateOf,
    clock: systemClock,
    log: silentLog,
    ...options,
  });
}

export const clientOf = ({ apiUrl }: Emulator): ReturnType<typeof route53Client> =>
  route53Client({ endpoint: apiUrl, credentials });

/** Makes a hosted zone; resolves with its identifier. */
export async function createZone(client: ReturnType<typeof route53Client>, zone: string): Promise<string> {
  const { HostedZone } = await client.send(new CreateHostedZoneCommand({ Name: zone, CallerReference: zone }));
  return HostedZone?.Id ?? '';
}

/** How a provider asks the emulator: with little patience between two questions. */
export const timing = {
  clock: systemClock,
  random: Math.random,
  firstMs: 50,
  ceilingMs: 500,
  limitMs: 20_000,
  pollMs: 20,
  statusMs: 20,
  inSyncLimitMs: 10_000,
  blindSyncMs: 300,
};
