import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Network } from '../../../src/lab/net/network.ts';
import type { Bench } from '../support/row.ts';
import {
  AgentProcess,
  changeRows,
  endpointChanges,
  newHosts,
  restingRows,
  type Start,
  startRow,
  untilServed,
} from './agent-process.ts';
import { freshAddress, hostCount, hostName } from './fleet.ts';
import { Client } from './load.ts';
import { applicationYaml, hostsAFile, writeFolder } from './manifests.ts';
import { ports, startOurs, startUpstream } from './nginxes.ts';

/** `tideline edge agent` from a folder of manifests at full size, as its own process; the client asks until it is served. */
export const edgeAgent: Bench = {
  name: 'edge-agent',
  async run(say) {
    const network = new Network();
    const folder = await mkdtemp(join(tmpdir(), 'tideline-bench-'));
    const manifests = join(folder, 'manifests');
    const client = new Client(ports.ours);
    let agent: AgentProcess | undefined;
    try {
      await network.adoptOwn('bench');
      const place = { network, namespace: 'bench', folder };
      await startUpstream(place);
      const { runDir } = await startOurs(place);
      const process = new AgentProcess(place, runDir, client);
      agent = process;
      const start = async (from: string, marker: number): Promise<Start> => {
        await process.stop();
        await writeFile(join(from, `single-${marker}.yaml`), applicationYaml(marker));
        return process.start(['--manifests', from], marker);
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
      return [
        startRow('folder of JSON', json),
        startRow('folder of YAML', yaml),
        ...changeRows('file saved', endpoints, hosts),
        ...(await restingRows(yaml.pid)),
      ];
    } finally {
      client.close();
      await agent?.stop();
      await network.destroy();
      await rm(folder, { recursive: true, force: true });
    }
  },
};
