import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Network } from '../../../lab/net/network.ts';
import { type Bench, figure, type Row } from '../support/row.ts';
import { median, pairedRatio } from '../support/statistics.ts';
import { type Announcer, throughBare, throughRelay } from './announcers.ts';
import { podRoutes, startPair } from './pair.ts';

const sizes = [
  { routes: 1000, rounds: 5 },
  { routes: 10_000, rounds: 3 },
] as const;
const limit = 1.2;

/** Measures many routes at once, from the request until all are in the kernel of the BIRD peer; ours and bare ExaBGP by turns. */
export const bgpRoutes: Bench = {
  name: 'bgp-routes',
  async run(reportProgress) {
    const network = new Network();
    const directory = await mkdtemp(join(tmpdir(), 'tideline-bench-'));
    const announcers: Announcer[] = [];
    try {
      reportProgress('two servers with ExaBGP and their routers');
      const ours = await throughRelay(await startPair(network, directory, 'relay'));
      announcers.push(ours);
      const bare = await throughBare(await startPair(network, directory, 'bare'));
      announcers.push(bare);
      const rows: Row[] = [];
      for (const { routes, rounds } of sizes) {
        const times = { ours: [] as number[], bare: [] as number[] };
        for (let round = 0; round < rounds; round += 1) {
          reportProgress(`${routes} routes, round ${round + 1} of ${rounds}`);
          const turns = [
            ['ours', ours],
            ['bare', bare],
          ] as const;
          for (const [who, announcer] of round % 2 === 0 ? turns : turns.toReversed()) {
            times[who].push((await announcer.announce(podRoutes(routes))) / 1000);
            await announcer.withdraw();
          }
        }
        const ratio = pairedRatio(times.ours, times.bare);
        rows.push({
          what: `${routes.toLocaleString('en')} routes asked for → in the router's kernel`,
          measured: figure(median(times.ours), 's'),
          peer: figure(median(times.bare), 's'),
          ratio,
          budget: `ratio ≤ ${limit}`,
          met: ratio <= limit,
        });
      }
      return rows;
    } finally {
      for (const announcer of announcers) await announcer.stop();
      await network.destroy();
      await rm(directory, { recursive: true, force: true });
    }
  },
};
