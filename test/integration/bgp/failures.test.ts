import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { sendStarting } from '../../../src/bgp/driver/starting.ts';
import type { Speaker } from '../../../src/bgp/speaker.ts';
import { promised } from '../../support/promised.ts';
import { eventually, exchangeLines, route, World } from './world.ts';

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const pods = ['10.10.1.0/26', '10.10.2.0/26', '10.10.3.0/26'];
const vip = '192.0.2.10/32';

let world: World;
afterEach(async () => {
  await world.stop();
});

describe('a worker', () => {
  it('loses nothing when the relay is killed, and converges', async () => {
    world = await World.start();
    const speaker = world.speaker();
    speaker.setDesired(pods.map((prefix) => route(prefix)));
    await speaker.settled(10_000);
    await world.waitKernel(pods);
    const deletions = await world.watchDeletions();
    const before = await world.relayPid();
    process.kill(before, 'SIGKILL');
    await eventually('the agent sees it', () => speaker.status().relay === 'disconnected');
    speaker.setDesired([...pods, '10.10.4.0/26'].map((prefix) => route(prefix)));
    await world.waitKernel([...pods, '10.10.4.0/26']);
    expect(await world.relayPid()).not.toBe(before);
    expect(await deletions()).toEqual([]);
    speaker.setDesired([route('10.10.4.0/26')]);
    await world.waitKernel(['10.10.4.0/26']);
  });

  it('withdraws nothing when relay and agent are killed and only the relay comes back', async () => {
    world = await World.start();
    const agent = await world.agent(pods.map((prefix) => route(prefix)));
    await world.waitKernel(pods);
    const deletions = await world.watchDeletions();
    agent.kill('SIGKILL');
    process.kill(await world.relayPid(), 'SIGKILL');
    await sleep(1500);
    expect(await deletions()).toEqual([]);
    const [held] = (await exchangeLines(world.socket, '', 200)).filter((line) => line.includes('"held"'));
    expect(JSON.parse(held ?? '{}').routes.map((entry: { prefix: string }) => entry.prefix)).toEqual([
      '10.1.0.11/32',
      ...pods,
    ]);
  });

  it.each(['agent', 'ExaBGP'] as const)(
    'loses no route when all three are killed and the %s is back first',
    async (first) => {
      world = await World.start();
      const agent = await world.agent(pods.map((prefix) => route(prefix)));
      await world.waitKernel(pods);
      await eventually('end-of-RIB', async () =>
        (await exchangeLines(world.socket, '', 50)).some((l) => l.includes('"endOfRib":true')),
      );
      const deletions = await world.watchDeletions();
      agent.kill('SIGKILL');
      world.exabgp.daemon.kill('SIGKILL');
      await world.exabgp.daemon.exited;
      const startAgent = (): Speaker => {
        const speaker = world.speaker();
        speaker.setDesired(pods.map((prefix) => route(prefix)));
        return speaker;
      };
      const early = first === 'agent' ? startAgent() : undefined;
      await sleep(500);
      await world.startExabgp();
      await world.router.waitEstablished(['server'], 15_000);
      if (first === 'ExaBGP') {
        await sleep(2000);
        // Without an agent no end-of-RIB may be sent, since it says that the set is complete.
        const said = (await exchangeLines(world.socket, '', 200)).join();
        expect(said).toContain('"endOfRib":false');
        expect(said).not.toContain('"endOfRib":true');
      }
      await (early ?? startAgent()).settled(10_000);
      await eventually('nothing is stale', async () => !(await world.router.keepsStale('server')));
      expect(await deletions()).toEqual([]);
      await world.waitKernel(pods);
    },
  );

  it('stays when the relay hears nothing of a newer agent, and the newer agent wins', async () => {
    world = await World.start();
    const older = await world.agent(pods.map((prefix) => route(prefix)));
    await world.waitKernel(pods);
    older.kill('SIGSTOP');
    const newer = world.speaker();
    newer.setDesired([...pods, '10.10.5.0/26'].map((prefix) => route(prefix)));
    await newer.settled(10_000);
    await world.waitKernel([...pods, '10.10.5.0/26']);
  });
});

describe('a blade', () => {
  it('keeps its VIP while a new agent starts, however often, for three leases in all', async () => {
    // The lease of production: on a machine with other work, a shorter one ran out before the new agent's word was sent.
    const lease = { seconds: 5, keeper: false };
    const leaseMs = 1000 * lease.seconds;
    world = await World.start(lease);
    const agent = await world.agent([route(vip, 'vip')], lease);
    await world.waitKernel([vip]);
    const deletions = await world.watchDeletions();
    const ended = once(agent, 'exit');
    agent.kill('SIGKILL');
    const begin = performance.now();
    await ended;
    await sendStarting(world.socket);
    await sleep(1.5 * leaseMs);
    expect(await deletions()).toEqual([]);
    await sendStarting(world.socket);
    await world.waitKernel([], promised(3 * leaseMs));
    expect(performance.now() - begin).toBeLessThan(promised(3 * leaseMs));
    await sendStarting(world.socket);
    await sleep(500);
    await world.waitKernel([], 100);
  });

  it('keeps its VIP without an agent when it is a keeper', async () => {
    world = await World.start({ seconds: 1, keeper: true });
    const agent = await world.agent([route(vip, 'vip')], { seconds: 1, keeper: true });
    await world.waitKernel([vip]);
    const deletions = await world.watchDeletions();
    agent.kill('SIGKILL');
    await sleep(1500);
    process.kill(await world.relayPid(), 'SIGKILL');
    await sleep(2500);
    expect(await deletions()).toEqual([]);
  });

  it('gives the agent a whole lease after the relay itself was killed', async () => {
    world = await World.start({ seconds: 2, keeper: false });
    const agent = await world.agent([route(vip, 'vip')], { seconds: 2, keeper: false });
    await world.waitKernel([vip]);
    const deletions = await world.watchDeletions();
    process.kill(await world.relayPid(), 'SIGKILL');
    await sleep(3000);
    expect(await deletions()).toEqual([]);
    agent.kill('SIGKILL');
    process.kill(await world.relayPid(), 'SIGKILL');
    // ExaBGP starts the new relay after a second, and its lease begins with it.
    await world.waitKernel([], promised(1000 + 2000));
  });
});
