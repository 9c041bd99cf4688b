import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Network } from '../../../lab/net/network.ts';
import { basics, me, World } from '../../integration/network/world.ts';
import { calico } from '../../support/network/calico.ts';
import { type Bench, figure, type Row } from '../support/row.ts';
import { median, percentile } from '../support/statistics.ts';
import { type Announcer, throughBare, throughRelay } from './announcers.ts';
import { KernelWatch, podRoutes, startPair, wallClockMs } from './pair.ts';

const blocks = 30;
const allowedMs = 50;

/**
 * Measures one more route by turns: through bare ExaBGP, through driver and relay, and through the whole of `tideline network
 * agent`, there from the moment before its two Calico objects are written into the manifest folder.
 */
export const bgpBlock: Bench = {
  name: 'bgp-block',
  async run(reportProgress) {
    const network = new Network();
    const directory = await mkdtemp(join(tmpdir(), 'tideline-bench-'));
    const announcers: Announcer[] = [];
    let world: World | undefined;
    try {
      reportProgress('three servers with ExaBGP and their routers, one with the network agent');
      const driver = await throughRelay(await startPair(network, directory, 'relay'));
      announcers.push(driver);
      const bare = await throughBare(await startPair(network, directory, 'bare'));
      announcers.push(bare);
      world = await World.start();
      const agent = await agentOf(world);
      announcers.push(agent);
      const times = { bare: [] as number[], driver: [] as number[], agent: [] as number[] };
      reportProgress(`${blocks} times one more route`);
      for (let count = 1; count <= blocks; count += 1) {
        times.bare.push(await bare.announce(podRoutes(count)));
        times.driver.push(await driver.announce(podRoutes(count)));
        times.agent.push(await agent.announce(podRoutes(count)));
      }
      return [
        rowOf("one route asked of the driver → in the router's kernel", times.driver, times.bare),
        rowOf("a block's files saved → network agent → in the router's kernel", times.agent, times.bare),
      ];
    } finally {
      for (const announcer of announcers) await announcer.stop();
      await world?.stop();
      await network.destroy();
      await rm(directory, { recursive: true, force: true });
    }
  },
};

/** Announces by the whole agent: route number n stands for the nth block of the worker, written as one manifest file. */
async function agentOf(world: World): Promise<Announcer> {
  await world.put('basics.yaml', basics);
  world.startAgent();
  await world.until('the agent is synced', async () => (await world.status()).relay === 'synced');
  const kernel = await KernelWatch.start(world.network, 'tor');
  return {
    async announce(routes) {
      const number = routes.length;
      const objects = calico.owned(`10.10.${number >> 2}.${(number & 3) * 64}/26`, me);
      const begin = wallClockMs();
      await world.put(`block-${number}.yaml`, objects);
      return (await kernel.until(number, 10_000)) - begin;
    },
    withdraw: async () => {},
    stop: async () => kernel.end(),
  };
}

function rowOf(what: string, ours: readonly number[], bare: readonly number[]): Row {
  const more = median(ours) - median(bare);
  return {
    what,
    measured: `${figure(median(ours), 'ms')} (p99 ${figure(percentile(ours, 0.99), 'ms')})`,
    peer: `${figure(median(bare), 'ms')} (p99 ${figure(percentile(bare, 0.99), 'ms')})`,
    budget: `≤ peer + ${allowedMs} ms`,
    met: more <= allowedMs,
  };
}
