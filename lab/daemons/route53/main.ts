import { parseArgs } from 'node:util';
import { countryOf } from '../../../src/geo/lookup.ts';
import { parseAddress } from '../../../src/model/address.ts';
import { InputError, problemLines } from '../../../src/model/problem.ts';
import { messageOf } from '../../../src/model/values.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { createLog } from '../../../src/runtime/log.ts';
import { messageLines, printErrorLines, printLines } from '../../../src/runtime/print.ts';
import { waitForShutdown } from '../../../src/runtime/shutdown.ts';
import { type EmulatorOptions, type Endpoint, startEmulator } from '../../emulators/route53/emulator.ts';
import { labStateOf } from '../../geo/states.ts';

const usage = `Usage: node lab/daemons/route53/main.ts --api ADDRESS:PORT --dns ADDRESS:PORT [options]
  --time-compression N      divide health check intervals and timeouts by N (default 1)
  --insync-delay-ms N       from a change to INSYNC (default 200; the real one takes about 60000)
  --rate N                  API requests a second of the account, 0 for no limits (default 5)
  --burst N                 API requests at once (default 5)
  --checkers N              checkers for each health check (default 6)
  --health-check-quota N    health checks that the account may have (default 200)
  --zone-quota N            hosted zones that the account may have (default 500)
  --record-quota N          records that a zone may have (default 10000)
  --allow-private-endpoints health checks may probe private addresses, which the real ones refuse
Logs go to standard error, one JSON object a line. The state is at http://API/emulator/status.`;

function readOptions(
  args: readonly string[],
): Omit<EmulatorOptions, 'clock' | 'log' | 'countryOf' | 'stateOf'> | 'help' {
  const { values } = parse(args);
  if (values.help === true) return 'help';
  return {
    api: endpoint('--api', values.api),
    dns: endpoint('--dns', values.dns),
    timeCompression: number('--time-compression', values['time-compression'], 1, 1000),
    insyncDelayMs: number('--insync-delay-ms', values['insync-delay-ms'], 0, 600_000),
    rate: number('--rate', values.rate, 0, 10_000),
    burst: number('--burst', values.burst, 1, 10_000),
    checkers: Math.round(number('--checkers', values.checkers, 1, 64)),
    healthCheckQuota: number('--health-check-quota', values['health-check-quota'], 0, 1_000_000),
    zoneQuota: number('--zone-quota', values['zone-quota'], 0, 1_000_000),
    recordQuota: number('--record-quota', values['record-quota'], 0, 1_000_000),
    allowPrivateEndpoints: values['allow-private-endpoints'],
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        api: { type: 'string' },
        dns: { type: 'string' },
        'time-compression': { type: 'string', default: '1' },
        'insync-delay-ms': { type: 'string', default: '200' },
        rate: { type: 'string', default: '5' },
        burst: { type: 'string', default: '5' },
        checkers: { type: 'string', default: '6' },
        'health-check-quota': { type: 'string', default: '200' },
        'zone-quota': { type: 'string', default: '500' },
        'record-quota': { type: 'string', default: '10000' },
        'allow-private-endpoints': { type: 'boolean', default: false },
        help: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new InputError({ reason: 'BadOption', message: messageOf(error), fix: 'see --help' });
  }
}

function endpoint(option: string, text: string | undefined): Endpoint {
  const match = /^(.+):(\d{1,5})$/.exec(text ?? '');
  const address = parseAddress((match?.[1] ?? '').replace(/^\[(.*)\]$/, '$1'));
  const port = Number(match?.[2]);
  if (address === undefined || port > 65_535)
    throw new InputError({
      reason: 'BadOption',
      message: `${option} needs ADDRESS:PORT, not ${text ?? 'nothing'}`,
      fix: `write ${option} 127.0.0.1:8053, for instance`,
    });
  return { host: address.text, port };
}

/** A number within limits; fractions are allowed, such as half a request a second. */
function number(option: string, text: string, minimum: number, maximum: number): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value < minimum || value > maximum)
    throw new InputError({
      reason: 'BadOption',
      message: `${option} must be a number from ${minimum} to ${maximum}, not ${text}`,
      fix: 'write such a number',
    });
  return value;
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') {
    printLines(usage.split('\n'));
    return;
  }
  const log = createLog('route53-emulator');
  const shutdown = waitForShutdown();
  const emulator = await startEmulator({ ...options, countryOf, stateOf: labStateOf, clock: systemClock, log });
  const { apiUrl, dns } = emulator;
  log.info({ api: apiUrl, dns: `${dns.host}:${dns.port}`, timeCompression: options.timeCompression }, 'listening');
  const signal = await shutdown;
  await emulator.stop();
  log.info({ signal }, 'stopped');
}

try {
  await main();
} catch (error) {
  const input = error instanceof InputError;
  printErrorLines(
    error instanceof InputError
      ? [...error.problems.flatMap(problemLines), ...usage.split('\n')]
      : messageLines(messageOf(error)),
  );
  process.exitCode = input ? 2 : 1;
}
