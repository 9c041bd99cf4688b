import { basics, me, World } from '../integration/network/world.ts';
import { calico } from '../support/network/calico.ts';
import { descendantsMatching, processorMs, residentMiB } from './support/processes.ts';
import { atMost, type Bench, figure } from './support/row.ts';

const idleMs = 20_000;

/**
 * Measures memory and processor time of agent, relay and ExaBGP on a worker with three blocks where nothing changes, at the
 * agent's second start (compiled modules).
 */
export const networkAgent: Bench = {
  name: 'network-agent',
  async run(reportProgress) {
    const world = await World.start();
    try {
      await world.put('basics.yaml', [
        ...basics,
        ...['10.10.1.0/26', '10.10.1.64/26', '10.10.1.128/26'].flatMap((cidr) => calico.owned(cidr, me)),
      ]);
      const blocks = ['10.10.1.0/26', '10.10.1.128/26', '10.10.1.64/26'];
      world.startAgent();
      await world.waitRouter(...blocks);
      await world.endAgent('SIGTERM');
      world.startAgent();
      await world.until('the agent is synced', async () => (await world.status()).relay === 'synced');
      const pid = world.agentPid;
      const [relay = -1] = await descendantsMatching(process.pid, /bgp\/relay\/main/);
      const [exabgp = -1] = await descendantsMatching(process.pid, /exabgp.*--env/);
      reportProgress(`idle for ${idleMs / 1000} s`);
      await new Promise((resolve) => setTimeout(resolve, 3000));
      const before = await Promise.all([processorMs(pid), processorMs(relay), processorMs(exabgp)]);
      await new Promise((resolve) => setTimeout(resolve, idleMs));
      const after = await Promise.all([processorMs(pid), processorMs(relay), processorMs(exabgp)]);
      const share = (which: 0 | 1 | 2): number => ((after[which] - before[which]) / idleMs) * 100;
      const [agentMemory, relayMemory, exabgpMemory] = await Promise.all([pid, relay, exabgp].map(residentMiB));
      return [
        atMost('network agent: memory (RSS)', agentMemory?.now ?? Number.NaN, 110, 'MiB'),
        atMost('network agent: share of a core when idle', share(0), 0.5, '%'),
        { what: 'relay: memory (RSS)', measured: figure(relayMemory?.now ?? Number.NaN, 'MiB') },
        { what: 'relay: share of a core when idle', measured: figure(share(1), '%') },
        {
          what: 'ExaBGP itself: memory (RSS), share of a core when idle',
          measured: `${figure(exabgpMemory?.now ?? Number.NaN, 'MiB')}, ${figure(share(2), '%')}`,
        },
      ];
    } finally {
      await world.stop();
    }
  },
};
