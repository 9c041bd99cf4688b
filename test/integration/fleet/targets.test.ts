import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { compileFleet } from '../../../src/planes/fleet/compile/compile.ts';
import { writeFolder } from '../../../src/planes/fleet/folder.ts';
import { fleetPlatform, shippedUnits } from '../../support/fleet.ts';

/** Prometheus itself reads the targets that a compile writes. */
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-targets-'));
});
afterAll(() => rm(folder, { recursive: true }));

it('Prometheus finds every agent and node exporter of a fleet, with the labels of our rules', async () => {
  const compiled = compileFleet(fleetPlatform({ sites: 2, monitoring: {} }), shippedUnits());
  await writeFolder(folder, compiled);
  const jobs = [...compiled.targets.keys()];
  const config = join(folder, 'prometheus.json');
  const scraped = jobs.map((job) => ({
    job_name: job,
    file_sd_configs: [{ files: [join(folder, 'targets', `${job}.json`)] }],
  }));
  await writeFile(config, JSON.stringify({ scrape_configs: scraped }));
  const run = promisify(execFile);
  await run('promtool', ['check', 'config', config]);
  for (const job of jobs) {
    const { stdout } = await run('promtool', ['check', 'service-discovery', '--timeout=2s', config, job]);
    const found = JSON.parse(stdout) as readonly { readonly labels: Readonly<Record<string, string>> }[];
    const wanted = compiled.targets
      .get(job)
      ?.flatMap(({ targets, labels }) =>
        targets.map((target) => ({ instance: target, cluster: labels['cluster'] ?? '' })),
      );
    const addresses = found.map(({ labels: { instance = '', cluster = '' } }) => ({ instance, cluster }));
    const byInstance = (a: { instance: string }, b: { instance: string }) => (a.instance < b.instance ? -1 : 1);
    expect(addresses.toSorted(byInstance), job).toEqual(wanted?.toSorted(byInstance));
  }
});
