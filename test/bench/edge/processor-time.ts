import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { createDataPlane } from '../../../src/planes/edge/nginx/driver.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { processorMs, residentMiB } from '../support/processes.ts';
import { atMost, type Bench, figure, type Row } from '../support/row.ts';
import { median, medianInterval, pairedRatio } from '../support/statistics.ts';
import { hostCount, hostName, tableOf } from './fleet.ts';
import { load } from './load.ts';
import { type Place, ports, startOurs, startStatic, withUpstream, workerOf } from './nginxes.ts';

const run = promisify(execFile);
/** LuaJIT compiles by chance, so each figure is of several workers of ours, each of which has just been started. */
const workers = 4;
const roundsAWorker = 30;
const requestsARound = 800;
const warmUpRequests = 8000;
const connections = 20;

interface Fleet {
  readonly what: string;
  readonly hosts: number;
  readonly endpoints: number;
  /** Only the first hosts are asked. */
  readonly busy: number;
  readonly limit?: number;
}

const fleets: readonly Fleet[] = [
  { what: '1 host × 3 pods', hosts: 1, endpoints: 3, busy: 1, limit: 1.15 },
  { what: '1,000 hosts × 3 pods, every host in turn', hosts: 1000, endpoints: 3, busy: 1000, limit: 1.15 },
  { what: '20 busy hosts of 5,000 × 10 pods', hosts: hostCount, endpoints: 10, busy: 20, limit: 1.15 },
];

/** Measures by turns workers of our data plane and one of a static nginx.conf, which has keep-alive connections a backend. */
export const processorTime: Bench = {
  name: 'edge-processor-time',
  async run(reportProgress) {
    // What this process starts stays beside it, but for the two workers.
    await pin(process.pid, 0);
    return withUpstream(async (place) => {
      const rows: Row[] = [];
      for (const fleet of fleets) rows.push(...(await measureFleet(place, fleet, reportProgress)));
      return rows;
    });
  },
};

interface Worker {
  readonly port: number;
  readonly pid: number;
}

interface Spent {
  readonly ours: readonly number[];
  readonly peer: readonly number[];
}

async function measureFleet(
  place: Place,
  fleet: Fleet,
  reportProgress: (doing: string) => void,
): Promise<readonly Row[]> {
  reportProgress(`static nginx.conf: ${fleet.what}`);
  const began = performance.now();
  const still = await startStatic(place, fleet.hosts, fleet.endpoints);
  const staticMs = performance.now() - began;
  const peer: Worker = { port: ports.static, pid: await workerOf(still.pid) };
  await pin(peer.pid, 1);
  const measured: (Spent & { readonly pushMs: number; readonly residentMiB: number })[] = [];
  for (let number = 1; number <= workers; number += 1) {
    const spent = await measureWorker(place, fleet, peer);
    reportProgress(`worker ${number} of ${workers}: ratio ${pairedRatio(spent.ours, spent.peer).toFixed(2)}`);
    measured.push(spent);
  }
  const rows = [
    timeRow(fleet, measured),
    {
      what: `the same, the worker of ${workers} with the largest ratio`,
      measured: '',
      ratio: Math.max(...measured.map(({ ours, peer: its }) => pairedRatio(ours, its))),
    },
    ...(fleet.hosts === hostCount
      ? await startRows(
          Math.max(...measured.map((one) => one.residentMiB)),
          median(measured.map((one) => one.pushMs)),
          peer,
          staticMs,
        )
      : []),
  ];
  await still.stop();
  return rows;
}

/** Starts our data plane with a new worker, compares it with the peer round after round, and ends it. */
async function measureWorker(place: Place, fleet: Fleet, peer: Worker) {
  const nginx = await startOurs(place);
  try {
    const plane = createDataPlane({ socketPath: nginx.controlSocket, clock: systemClock, log: silentLog });
    plane.start();
    const pushed = performance.now();
    await plane.apply(tableOf(fleet.hosts, fleet.endpoints));
    const pushMs = performance.now() - pushed;
    await plane.stop();
    const ours: Worker = { port: ports.ours, pid: await workerOf(nginx.masterPid) };
    await pin(ours.pid, 1);
    const hosts = Array.from({ length: fleet.busy }, (_, index) => hostName(index));
    await load(ours.port, hosts, connections, warmUpRequests);
    await load(peer.port, hosts, connections, warmUpRequests / 4);
    return { ...(await measureByTurns(ours, peer, hosts)), pushMs, residentMiB: (await residentMiB(ours.pid)).now };
  } finally {
    await nginx.kill();
    await rm(nginx.runDir, { recursive: true, force: true });
  }
}

/** Measures the processor time of a request in microseconds, round after round. */
async function measureByTurns(ours: Worker, peer: Worker, hosts: readonly string[]): Promise<Spent> {
  const spent = { ours: [] as number[], peer: [] as number[] };
  for (let round = 0; round < roundsAWorker; round += 1) {
    const order = round % 2 === 0 ? (['ours', 'peer'] as const) : (['peer', 'ours'] as const);
    for (const who of order) {
      const { port, pid } = who === 'ours' ? ours : peer;
      const begin = await processorMs(pid);
      await load(port, hosts, connections, requestsARound);
      spent[who].push((((await processorMs(pid)) - begin) * 1000) / requestsARound);
    }
  }
  return spent;
}

function timeRow({ what, limit }: Fleet, measured: readonly Spent[]): Row {
  const ours = measured.flatMap((spent) => spent.ours);
  const peer = measured.flatMap((spent) => spent.peer);
  const ratio = pairedRatio(ours, peer);
  return {
    what: `processor time a request, ${what}`,
    measured: figure(median(ours), 'µs'),
    peer: figure(median(peer), 'µs'),
    ratio,
    interval: medianInterval(ours.map((value, index) => value / (peer[index] ?? Number.NaN))),
    ...(limit === undefined ? {} : { budget: `ratio ≤ ${limit}`, met: ratio <= limit }),
  };
}

async function startRows(oursMiB: number, pushMs: number, peer: Worker, staticMs: number): Promise<readonly Row[]> {
  const its = await residentMiB(peer.pid);
  return [
    {
      ...atMost('nginx worker memory (RSS), 5,000 hosts', oursMiB, 40, 'MiB'),
      peer: figure(its.now, 'MiB'),
      ratio: oursMiB / its.now,
    },
    {
      what: 'nginx ready with 5,000 hosts (ours: first full table pushed)',
      measured: figure(pushMs / 1000, 's'),
      peer: figure(staticMs / 1000, 's'),
      ratio: pushMs / staticMs,
    },
  ];
}

/**
 * Keeps all threads of a process on one processor: the two workers, which are never busy at once, share one, and this process has the
 * other. On a machine with one processor there is nothing to choose.
 */
async function pin(pid: number, processor: number): Promise<void> {
  if (availableParallelism() > 1) await run('taskset', ['-a', '-c', '-p', String(processor), String(pid)]);
}
