import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Daemon, startDaemon } from '../../../src/lab/daemons/process.ts';
import { Network } from '../../../src/lab/net/network.ts';
import { processorMs, residentMiB } from '../support/processes.ts';
import { atMost, type Bench, figure, type Row } from '../support/row.ts';
import { percentile } from '../support/statistics.ts';
import { waitFor } from '../support/wait.ts';
import { freshAddress, hostCount, hostName } from './fleet.ts';
import { Client } from './load.ts';
import { applicationYaml, hostsAFile, writeFolder } from './manifests.ts';
import { ports, startOurs, startUpstream } from './nginxes.ts';

const endpointChanges = 40;
const newHosts = 15;

/** `tideline edge agent` from a folder of manifests at full size, as its own process; the client asks until it is served. */
export const edgeAgent: Bench = {
  name: 'edge-agent',
  async run(say) {
    const network = new Network();
    const folder = await mkdtemp(join(tmpdir(), 'tideline-bench-'));
    const manifests = join(folder, 'manifests');
    const client = new Client(ports.ours);
    let agent: Daemon | undefined;
    try {
      await network.adoptOwn('bench');
      const place = { network, namespace: 'bench', folder };
      await startUpstream(place);
      const { runDir } = await startOurs(place);
      const start = async (from: string, marker: number): Promise<Start> => {
        await agent?.stop();
        await rm(join(runDir, 'edge-snapshot.json'), { force: true });
        await writeFile(join(from, `single-${marker}.yaml`), applicationYaml(marker));
        const begin = performance.now();
        agent = startAgent({ ...place, runDir, manifests: from });
        await waitFor(`host ${marker}`, 180_000, () => served(client, hostName(marker)));
        const seconds = (performance.now() - begin) / 1000;
        return { seconds, processorSeconds: (await processorMs(agent.pid)) / 1000, pid: agent.pid };
      };
      say('writing folders');
      await writeFolder(join(folder, 'few'), hostsAFile, 'yaml');
      await writeFolder(join(folder, 'json'), hostCount, 'json');
      await writeFolder(manifests, hostCount, 'yaml');
      say('a first start with one file, which compiles');
      await start(join(folder, 'few'), hostCount + 900);
      say(`start with ${hostCount} hosts, 50,000 endpoints as JSON`);
      const json = await start(join(folder, 'json'), hostCount + 901);
      say(`start with ${hostCount} hosts, 50,000 endpoints as YAML`);
      const yaml = await start(manifests, hostCount + 902);
      const { pid } = yaml;

      const save = async (index: number, addresses?: readonly string[]): Promise<number> => {
        await writeFile(join(folder, 'next.yaml'), applicationYaml(index, addresses));
        const begin = performance.now();
        await rename(join(folder, 'next.yaml'), join(manifests, `single-${index}.yaml`));
        await untilServed(client, hostName(index), addresses?.[0]);
        return performance.now() - begin;
      };
      say(`${newHosts} new applications, a file each`);
      const hosts: number[] = [];
      for (let number = 0; number < newHosts; number += 1) hosts.push(await save(hostCount + number));
      say(`${endpointChanges} changes of endpoints in those files`);
      const endpoints: number[] = [];
      for (let number = 0; number < endpointChanges; number += 1)
        endpoints.push(await save(hostCount + (number % newHosts), [freshAddress(number)]));

      say('idle for 10 s');
      const before = await processorMs(pid);
      await new Promise((resolve) => setTimeout(resolve, 10_000));
      const idleShare = ((await processorMs(pid)) - before) / 100;
      const memory = await residentMiB(pid);
      return [
        startRow('JSON', json),
        startRow('YAML', yaml),
        atMost(
          'edge agent: file saved → first request on the new endpoint: p50',
          percentile(endpoints, 0.5),
          100,
          'ms',
        ),
        atMost(
          'edge agent: file saved → first request on the new endpoint: p99',
          percentile(endpoints, 0.99),
          100,
          'ms',
        ),
        atMost('edge agent: file saved → new Ingress served: p50', percentile(hosts, 0.5), 250, 'ms'),
        atMost('edge agent: file saved → new Ingress served: p99', percentile(hosts, 0.99), 250, 'ms'),
        atMost('edge agent: memory (RSS) after that', memory.now, 300, 'MiB'),
        { what: 'edge agent: most memory it ever had (RSS)', measured: figure(memory.peak, 'MiB') },
        { what: 'edge agent: share of a core when idle', measured: figure(idleShare, '%') },
      ];
    } finally {
      client.close();
      await agent?.stop();
      await network.destroy();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

interface Start {
  readonly seconds: number;
  readonly processorSeconds: number;
  readonly pid: number;
}

function startRow(format: string, { seconds, processorSeconds }: Start): Row {
  return {
    ...atMost(
      `edge agent: start → first full table served, 5,000 hosts, 50,000 endpoints, folder of ${format}`,
      seconds,
      5,
      's',
    ),
    peer: `${figure(processorSeconds, 's')} processor time of the agent in it`,
  };
}

function startAgent(options: {
  readonly network: Network;
  readonly namespace: string;
  readonly folder: string;
  readonly runDir: string;
  readonly manifests: string;
}): Daemon {
  const words = ['edge', 'agent', '--platform', 'examples/hybrid', '--pool', 'paris-edge', '--blade', 'paris-blade-1'];
  return startDaemon({
    network: options.network,
    namespace: options.namespace,
    command: 'bin/tideline',
    args: [
      ...words,
      '--run-dir',
      options.runDir,
      '--manifests',
      options.manifests,
      '--metrics-address',
      '127.0.0.1:9464',
    ],
    logFile: join(options.folder, 'agent.log'),
  });
}

async function served(client: Client, host: string): Promise<true | undefined> {
  const { status } = await client.get(host);
  return status === 200 ? true : undefined;
}

/** Asks every millisecond or so, to leave the processor to those who are measured. */
async function untilServed(client: Client, host: string, address?: string): Promise<void> {
  for (const deadline = performance.now() + 20_000; performance.now() < deadline; ) {
    const { status, body } = await client.get(host);
    if (status === 200 && (address === undefined || body === address)) return;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  throw new Error(`${host} is not served within 20 s`);
}
