import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Daemon, startDaemon } from '../../../lab/daemons/process.ts';
import { eventually } from '../../support/eventually.ts';
import { processorMs, residentMiB } from '../support/processes.ts';
import { atMost, figure, type Row } from '../support/row.ts';
import { percentile } from '../support/statistics.ts';
import { freshAddress, hostCount, hostName } from './fleet.ts';
import { Client } from './load.ts';
import { type Place, ports, startOurs, withUpstream } from './nginxes.ts';

const endpointChanges = 200;
const newHosts = 40;
/** The pause between the client's requests: it leaves the processor to the agent, which is what is measured. */
export const pauseMs = 1;

export interface Start {
  readonly seconds: number;
  readonly processorSeconds: number;
  readonly pid: number;
}

export interface AgentRig {
  readonly folder: string;
  readonly agent: AgentProcess;
  /** The client that sends requests to nginx. */
  readonly client: Client;
}

/** Starts our data plane in front of the fleet's upstream and hands `act` an agent that it can start; ends everything after `act`. */
export function withAgent<T>(act: (rig: AgentRig) => Promise<T>): Promise<T> {
  return withUpstream(async (place) => {
    const { runDir } = await startOurs(place);
    const client = new Client(ports.ours);
    const agent = new AgentProcess(place, runDir, client);
    try {
      return await act({ folder: place.folder, agent, client });
    } finally {
      client.close();
      await agent.stop();
    }
  });
}

/** Runs `tideline edge agent` as its own process, one at a time, with an nginx that was started with `runDir`. */
class AgentProcess {
  readonly #place: Place;
  readonly #runDir: string;
  readonly #client: Client;
  #agent: Daemon | undefined;

  constructor(place: Place, runDir: string, client: Client) {
    this.#place = place;
    this.#runDir = runDir;
    this.#client = client;
  }

  /**
   * Ends the running agent and starts another without a snapshot; resolves when the host `marker`, which nginx did not know, is
   * served.
   */
  async start(source: readonly string[], marker: number): Promise<Start> {
    await this.stop();
    await rm(join(this.#runDir, 'edge-snapshot.json'), { force: true });
    const begin = performance.now();
    const words = [
      'edge',
      'agent',
      '--platform',
      'examples/hybrid',
      '--pool',
      'paris-edge',
      '--blade',
      'paris-blade-1',
    ];
    const agent = startDaemon({
      network: this.#place.network,
      namespace: this.#place.namespace,
      command: 'bin/tideline',
      args: [...words, '--run-dir', this.#runDir, '--metrics-address', '127.0.0.1:9464', ...source],
      logFile: join(this.#place.folder, 'agent.log'),
    });
    this.#agent = agent;
    const served = async (): Promise<boolean> => (await this.#client.get(hostName(marker))).status === 200;
    await eventually(`host ${marker} is served`, served, { timeoutMs: 180_000, everyMs: 20 });
    const seconds = (performance.now() - begin) / 1000;
    return { seconds, processorSeconds: (await processorMs(agent.pid)) / 1000, pid: agent.pid };
  }

  async stop(): Promise<void> {
    await this.#agent?.stop();
  }
}

/** The row of a start; `from` is the source that the agent reads. */
export function startRow(from: string, { seconds, processorSeconds }: Start): Row {
  return {
    ...atMost(`edge agent: start → first full table served, 5,000 hosts, 50,000 endpoints, ${from}`, seconds, 5, 's'),
    peer: `${figure(processorSeconds, 's')} processor time of the agent in it`,
  };
}

/** The changes of the cluster; each resolves with the milliseconds until the change is served. */
export interface Changes {
  readonly newHost: (index: number) => Promise<number>;
  readonly newAddress: (index: number, address: string) => Promise<number>;
}

/** Makes new hosts, then gives them new endpoints. `asked` names the moment at which a latency begins. */
export async function changeRows(
  asked: string,
  { newHost, newAddress }: Changes,
  reportProgress: (doing: string) => void,
): Promise<readonly Row[]> {
  reportProgress(`${newHosts} new hosts`);
  const hosts: number[] = [];
  for (let number = 0; number < newHosts; number += 1) hosts.push(await newHost(hostCount + number));
  reportProgress(`${endpointChanges} changes of their endpoints`);
  const endpoints: number[] = [];
  for (let number = 0; number < endpointChanges; number += 1)
    endpoints.push(await newAddress(hostCount + (number % newHosts), freshAddress(number)));
  return [
    atMost(`edge agent: ${asked} → first request on the new endpoint: p50`, percentile(endpoints, 0.5), 100, 'ms'),
    atMost(`edge agent: ${asked} → first request on the new endpoint: p99`, percentile(endpoints, 0.99), 100, 'ms'),
    atMost(`edge agent: ${asked} → new Ingress served: p50`, percentile(hosts, 0.5), 250, 'ms'),
    atMost(`edge agent: ${asked} → new Ingress served: p99`, percentile(hosts, 0.99), 250, 'ms'),
  ];
}

/** A busy agent writes its last snapshot at most this long after the last change. */
const lastSnapshotMs = 12_000;

/** Measures the agent's memory and processor time while nothing changes. */
export async function restingRows(pid: number, reportProgress: (doing: string) => void): Promise<readonly Row[]> {
  reportProgress('the last snapshot, then idle for 10 s');
  await new Promise((resolve) => setTimeout(resolve, lastSnapshotMs));
  const before = await processorMs(pid);
  await new Promise((resolve) => setTimeout(resolve, 10_000));
  const idleShare = ((await processorMs(pid)) - before) / 100;
  const memory = await residentMiB(pid);
  return [
    atMost('edge agent: memory (RSS) after that', memory.now, 300, 'MiB'),
    { what: 'edge agent: most memory it ever had (RSS)', measured: figure(memory.peak, 'MiB') },
    { what: 'edge agent: share of a core when idle', measured: figure(idleShare, '%') },
  ];
}
