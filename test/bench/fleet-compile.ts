import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileFleet } from '../../src/planes/fleet/compile/compile.ts';
import { checksumOf, writeFolder } from '../../src/planes/fleet/folder.ts';
import { fleetPlatform, shippedUnits } from '../support/fleet.ts';
import { atMost, type Bench, figure } from './support/row.ts';

/** Measures the compile of 2,500 servers in six sites, each a cluster: the first of a cold process, and the folder of documents. */
export const fleetCompile: Bench = {
  name: 'fleet-compile',
  async run(reportProgress) {
    const platform = fleetPlatform({ sites: 6, workersPerSite: 400, bladesPerSite: 14 });
    const units = shippedUnits();
    reportProgress(`a compile of ${platform.servers.size} servers`);
    const begin = performance.now();
    const before = process.cpuUsage();
    const compiled = compileFleet(platform, units);
    const checksum = checksumOf(compiled);
    const seconds = (performance.now() - begin) / 1000;
    const { user, system } = process.cpuUsage(before);
    const resident = process.resourceUsage().maxRSS / 1024;
    const same = checksumOf(compileFleet(platform, units)) === checksum;
    const sizes = [...compiled.documents.values()].map((document) => JSON.stringify(document).length);
    const folder = await mkdtemp(join(tmpdir(), 'tideline-fleet-'));
    const write = async () => {
      const start = performance.now();
      await writeFolder(folder, compiled);
      return (performance.now() - start) / 1000;
    };
    try {
      return [
        atMost(`fleet: ${platform.servers.size} servers, 6 sites, 6 clusters → documents`, seconds, 10, 's'),
        { what: 'its processor time', measured: figure((user + system) / 1e6, 's') },
        atMost('memory of the process, spec and all documents', resident, 400, 'MiB'),
        { what: 'byte-identical twice', measured: same ? 'yes' : 'no', budget: 'yes', met: same },
        {
          what: 'a document, on average',
          measured: figure(sizes.reduce((a, b) => a + b, 0) / sizes.length / 1024, 'KiB'),
        },
        { what: 'the folder written for the first time', measured: figure(await write(), 's') },
        { what: 'and once more, without any change', measured: figure(await write(), 's') },
      ];
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};
