import { readFile } from 'node:fs/promises';
import { distanceKm } from '../../../src/model/geo/locations.ts';
import { messageOf } from '../../../src/model/values.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { createLog } from '../../../src/runtime/log.ts';
import { messageLines, printErrorLines } from '../../../src/runtime/print.ts';
import { waitForShutdown } from '../../../src/runtime/shutdown.ts';
import { startFrontEnd } from '../../emulators/balancer/front-end.ts';
import type { BackendsFile, BalancerSettings } from './settings.ts';

/** The cloud's load balancer as it stands in one region: `node lab/daemons/balancer/main.ts SETTINGS.json`. */
async function main(): Promise<void> {
  const settings = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8')) as BalancerSettings;
  const { addresses, certificate, regions, frontEnd, admin, others, check, drainSteadyMs, backendsFile } = settings;
  const [cert, key] = await Promise.all([
    readFile(certificate.chainFile, 'utf8'),
    readFile(certificate.keyFile, 'utf8'),
  ]);
  const log = createLog('balancer');
  const shutdown = waitForShutdown();
  const running = await startFrontEnd({
    frontEnd,
    listen: addresses.flatMap((address) => [
      { address, port: 80 },
      { address, port: 443, certificate: { cert, key } },
    ]),
    admin,
    source: admin.address,
    others,
    backends: async () => JSON.parse(await readFile(backendsFile, 'utf8')) as BackendsFile,
    distance: (from, to) => {
      const [a, b] = [regions[from], regions[to]];
      return a === undefined || b === undefined ? Number.POSITIVE_INFINITY : distanceKm(a, b);
    },
    // As Google has them: failoverHealthThreshold is 70 for this kind of load balancer, a new endpoint needs two passed checks.
    failoverThreshold: 0.7,
    thresholds: { healthy: 2, unhealthy: 2 },
    drainSteadyMs,
    check,
    planEveryMs: 500,
    clock: systemClock,
  });
  log.info({ frontEnd, addresses, admin: running.adminUrl }, 'listening');
  const signal = await shutdown;
  await running.stop();
  log.info({ signal }, 'stopped');
}

try {
  await main();
} catch (error) {
  printErrorLines(messageLines(messageOf(error)));
  process.exitCode = 1;
}
