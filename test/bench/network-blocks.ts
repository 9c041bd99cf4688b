import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { basics, me, World } from '../integration/network/world.ts';
import { eventually } from '../support/eventually.ts';
import { calico } from '../support/network/calico.ts';
import { descendantsMatching, processorMs } from './support/processes.ts';
import { type Bench, figure, type Row } from './support/row.ts';
import { median } from './support/statistics.ts';

const counts = [1000, 10_000];
const additions = 5;

/** The block with this number of one worker: far more than any has, to see what one more costs when there are many. */
const block = (index: number): string => `10.10.${index >> 6}.${(index & 63) << 2}/30`;

/**
 * Measures a worker with very many blocks: agent start until all are in the router's kernel, then one block more, in elapsed and
 * processor time, at the second start (compiled modules). The manifests are JSON, because reading YAML would be most of it.
 */
export const networkBlocks: Bench = {
  name: 'network-blocks',
  async run(reportProgress) {
    const rows: Row[] = [];
    for (const count of counts) {
      reportProgress(`${count} blocks`);
      rows.push(...(await measure(count)));
    }
    return rows;
  },
};

/** Asks for one route alone, because printing thousands of them again and again would take the processor from what is measured. */
async function appears(world: World, prefix: string, timeoutMs: number): Promise<void> {
  const look = async (): Promise<boolean> =>
    (await world.network.ip('tor', 'route', 'show', prefix, 'proto', 'bird')) !== '';
  await eventually(`${prefix} in the router`, look, { timeoutMs, everyMs: 50 });
}

async function measure(count: number): Promise<readonly Row[]> {
  const world = await World.start('BIRD', { maxPrefixes: 20_000 });
  try {
    const sites = join(world.directory, 'platform/sites.yaml');
    const roomy = 'limits: { maxRoutesPerServer: 100000, maxAnnouncementsPerMinute: 1000000 }\n  prefixes:';
    await writeFile(sites, (await readFile(sites, 'utf8')).replace('prefixes:', roomy));
    const pool = calico.pool('10.10.0.0/16', { blockSize: 30 });
    await world.put('basics.json', [...basics.slice(0, 2), pool]);
    const blocks = Array.from({ length: count }, (_, index) => calico.owned(block(index), me, { 1: me }));
    await world.put('blocks.json', blocks.flat());
    const begin = performance.now();
    world.startAgent();
    await appears(world, block(count - 1), 120_000);
    const startMs = performance.now() - begin;
    const pid = world.agentPid;
    const [relay = -1] = await descendantsMatching(process.pid, /bgp\/relay\/main/);
    const [exabgp = -1] = await descendantsMatching(process.pid, /exabgp.*--env/);
    const startCpuMs = await processorMs(pid);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const times: number[] = [];
    const processors: [number, number, number][] = [];
    for (let more = 0; more < additions; more += 1) {
      const cpu = () => Promise.all([processorMs(pid), processorMs(relay), processorMs(exabgp)]);
      const before = await cpu();
      const from = performance.now();
      await world.put(`more-${more}.json`, calico.owned(block(count + more), me));
      await appears(world, block(count + more), 60_000);
      times.push(performance.now() - from);
      await new Promise((resolve) => setTimeout(resolve, 2000));
      const after = await cpu();
      processors.push([after[0] - before[0], after[1] - before[1], after[2] - before[2]]);
    }
    const [agentMs, relayMs, exabgpMs] = ([0, 1, 2] as const).map((at) => median(processors.map((one) => one[at])));
    return [
      {
        what: `network agent: start → ${count} blocks in the router's kernel`,
        measured: figure(startMs / 1000, 's'),
        peer: `${figure(startCpuMs / 1000, 's')} processor time of the agent in it`,
      },
      {
        what: `network agent: one more of ${count} blocks → in the router's kernel`,
        measured: figure(median(times), 'ms'),
        peer: `processor time: agent ${figure(agentMs ?? 0, 'ms')}, relay ${figure(relayMs ?? 0, 'ms')}, ExaBGP ${figure(exabgpMs ?? 0, 'ms')}`,
      },
    ];
  } finally {
    await world.stop();
  }
}
