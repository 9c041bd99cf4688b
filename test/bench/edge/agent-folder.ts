import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench } from '../support/row.ts';
import { changeRows, pauseMs, restingRows, type Start, startRow, withAgent } from './agent-process.ts';
import { hostCount, hostName } from './fleet.ts';
import { untilServed } from './load.ts';
import { applicationYaml, hostsAFile, writeFolder } from './manifests.ts';

/** Measures `tideline edge agent` on a folder of manifests at full size, as its own process; the client asks until it is served. */
export const edgeAgentFromFolder: Bench = {
  name: 'edge-agent-folder',
  run: (reportProgress) =>
    withAgent(async ({ folder, agent, client }) => {
      const manifests = join(folder, 'manifests');
      const start = async (from: string, marker: number): Promise<Start> => {
        await agent.stop();
        await writeFile(join(from, `single-${marker}.yaml`), applicationYaml(marker));
        return agent.start(['--manifests', from], marker);
      };
      reportProgress('writing folders');
      await writeFolder(join(folder, 'few'), hostsAFile, 'yaml');
      await writeFolder(join(folder, 'json'), hostCount, 'json');
      await writeFolder(manifests, hostCount, 'yaml');
      reportProgress('a first start with one file, which compiles');
      await start(join(folder, 'few'), hostCount + 900);
      reportProgress(`start with ${hostCount} hosts, 50,000 endpoints as JSON`);
      const json = await start(join(folder, 'json'), hostCount + 901);
      reportProgress(`start with ${hostCount} hosts, 50,000 endpoints as YAML`);
      const yaml = await start(manifests, hostCount + 902);
      const save = async (index: number, address?: string): Promise<number> => {
        await writeFile(
          join(folder, 'next.yaml'),
          applicationYaml(index, address === undefined ? undefined : [address]),
        );
        const begin = performance.now();
        await rename(join(folder, 'next.yaml'), join(manifests, `single-${index}.yaml`));
        await untilServed(client, hostName(index), address, pauseMs);
        return performance.now() - begin;
      };
      return [
        startRow('folder of JSON', json),
        startRow('folder of YAML', yaml),
        ...(await changeRows('file saved', { newHost: save, newAddress: save }, reportProgress)),
        ...(await restingRows(yaml.pid, reportProgress)),
      ];
    }),
};
