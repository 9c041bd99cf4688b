import { createDataPlane } from '../../../src/planes/edge/nginx/driver.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { atMost, type Bench } from '../support/row.ts';
import { percentile } from '../support/statistics.ts';
import { backendOf, freshAddress, hostCount, hostName, tableOf } from './fleet.ts';
import { Client, untilServed } from './load.ts';
import { ports, startOurs, withUpstream } from './nginxes.ts';

const endpointChanges = 300;
const newHosts = 100;

/** Measures driver and nginx at full size: after a change is requested, a client asks without a pause until it is served. */
export const edgeChanges: Bench = {
  name: 'edge-changes',
  async run(reportProgress) {
    return withUpstream(async (place) => {
      const nginx = await startOurs(place);
      const client = new Client(ports.ours);
      const plane = createDataPlane({ socketPath: nginx.controlSocket, clock: systemClock, log: silentLog });
      try {
        plane.start();
        reportProgress(`first full table, ${hostCount} hosts`);
        const pushed = performance.now();
        await plane.apply(tableOf(hostCount));
        const pushSeconds = (performance.now() - pushed) / 1000;

        reportProgress(`${endpointChanges} changes of endpoints`);
        const endpoints: number[] = [];
        for (let number = 0; number < endpointChanges; number += 1) {
          const index = (number * 1009) % hostCount;
          const address = freshAddress(number);
          const begin = performance.now();
          const acknowledged = plane.applyEndpoints([backendOf(index, [address])]);
          await untilServed(client, hostName(index), address);
          endpoints.push(performance.now() - begin);
          await acknowledged;
        }
        reportProgress(`${newHosts} new hosts`);
        const hosts: number[] = [];
        for (let count = hostCount + 1; count <= hostCount + newHosts; count += 1) {
          const table = tableOf(count);
          const begin = performance.now();
          const acknowledged = plane.apply(table);
          await untilServed(client, hostName(count - 1));
          hosts.push(performance.now() - begin);
          await acknowledged;
        }
        const reloads = await nginx.reloads();
        return [
          atMost('first full table through the driver, 5,000 hosts, 50,000 endpoints', pushSeconds, 5, 's'),
          {
            ...atMost(
              'endpoint change → first request there, through the driver: p50',
              percentile(endpoints, 0.5),
              100,
              'ms',
            ),
          },
          {
            ...atMost(
              'endpoint change → first request there, through the driver: p99',
              percentile(endpoints, 0.99),
              100,
              'ms',
            ),
          },
          { ...atMost('new host → served, through the driver: p50', percentile(hosts, 0.5), 250, 'ms') },
          { ...atMost('new host → served, through the driver: p99', percentile(hosts, 0.99), 250, 'ms') },
          atMost('reloads of nginx during all of that', reloads, 0, 'times'),
        ];
      } finally {
        client.close();
        await plane.stop();
      }
    });
  },
};
