import { createDataPlane } from '../../../src/planes/edge/nginx/driver.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { processorMs, residentMiB } from '../support/processes.ts';
import { atMost, type Bench, figure, type Row } from '../support/row.ts';
import { median, pairedRatio } from '../support/statistics.ts';
import { hostCount, hostName, tableOf } from './fleet.ts';
import { load } from './load.ts';
import { ports, startOurs, startStatic, withUpstream, workerOf } from './nginxes.ts';

const rounds = 7;
const requestsARound = 4000;
const connections = 20;

interface Worker {
  readonly port: number;
  readonly pid: number;
}

/** Measures by turns one worker of our data plane and one of a static nginx.conf, with 5,000 hosts each and the same upstream. */
export const processorTime: Bench = {
  name: 'edge-processor-time',
  async run(reportProgress) {
    return withUpstream(async (place) => {
      reportProgress(`static nginx.conf with ${hostCount} hosts`);
      const before = performance.now();
      const still = await startStatic(place, hostCount);
      const staticStart = performance.now() - before;
      reportProgress(`our data plane with ${hostCount} hosts`);
      const nginx = await startOurs(place);
      const plane = createDataPlane({ socketPath: nginx.controlSocket, clock: systemClock, log: silentLog });
      plane.start();
      const pushed = performance.now();
      await plane.apply(tableOf(hostCount));
      const pushMs = performance.now() - pushed;
      await plane.stop();
      const ours: Worker = { port: ports.ours, pid: await workerOf(nginx.masterPid) };
      const peer: Worker = { port: ports.static, pid: await workerOf(still.pid) };

      const all = Array.from({ length: hostCount }, (_, index) => hostName(index));
      reportProgress('20 busy hosts, by turns');
      const busy = await measureByTurns(ours, peer, all.slice(0, 20));
      reportProgress('all hosts, by turns');
      const spread = await measureByTurns(ours, peer, all);
      const [mine, its] = await Promise.all([residentMiB(ours.pid), residentMiB(peer.pid)]);
      return [
        timeRow('processor time a request, 20 busy hosts of 5,000', busy, 1.15),
        timeRow('processor time a request, every host in turn', spread),
        {
          ...atMost('nginx worker memory (RSS), 5,000 hosts', mine.now, 40, 'MiB'),
          peer: figure(its.now, 'MiB'),
          ratio: mine.now / its.now,
        },
        {
          what: 'nginx ready with 5,000 hosts (ours: first full table pushed)',
          measured: figure(pushMs / 1000, 's'),
          peer: figure(staticStart / 1000, 's'),
          ratio: pushMs / staticStart,
        },
      ];
    });
  },
};

interface Turns {
  readonly ours: readonly number[];
  readonly peer: readonly number[];
}

/** Measures the processor time of a request in microseconds, round after round; the first round of each warms up and is left out. */
async function measureByTurns(ours: Worker, peer: Worker, hosts: readonly string[]): Promise<Turns> {
  const spent = { ours: [] as number[], peer: [] as number[] };
  for (let round = 0; round <= rounds; round += 1) {
    const order = round % 2 === 0 ? (['ours', 'peer'] as const) : (['peer', 'ours'] as const);
    for (const who of order) {
      const { port, pid } = who === 'ours' ? ours : peer;
      const begin = await processorMs(pid);
      await load(port, hosts, connections, requestsARound);
      const microseconds = (((await processorMs(pid)) - begin) * 1000) / requestsARound;
      if (round > 0) spent[who].push(microseconds);
    }
  }
  return spent;
}

function timeRow(what: string, { ours, peer }: Turns, limit?: number): Row {
  const ratio = pairedRatio(ours, peer);
  return {
    what,
    measured: figure(median(ours), 'µs'),
    peer: figure(median(peer), 'µs'),
    ratio,
    ...(limit === undefined ? {} : { budget: `ratio ≤ ${limit}`, met: ratio <= limit }),
  };
}
