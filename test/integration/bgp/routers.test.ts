import { afterEach, describe, expect, it } from 'vitest';
import { routerKinds } from '../../support/daemons/router.ts';
import { promised } from '../../support/promised.ts';
import { eventually, exchangeLines, route, World } from './world.ts';

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const pods = ['10.10.1.0/26', '10.10.2.0/26', '10.10.3.0/26'];
const vip = '192.0.2.10/32';
const lease = { seconds: 2, keeper: false };

let world: World;
afterEach(async () => {
  await world.stop();
});

const endOfRib = (): Promise<unknown> =>
  eventually('end-of-RIB', async () =>
    (await exchangeLines(world.socket, '', 50)).some((line) => line.includes('"endOfRib":true')),
  );

// What every router must do with the announcements, whichever it is.
describe.each(routerKinds)('on %s, a worker', (router) => {
  it('announces, withdraws, and announces everything again when the session bounced', async () => {
    world = await World.start(undefined, router);
    const speaker = world.speaker();
    speaker.setDesired([
      route('10.10.1.0/26'),
      { ...route('10.10.2.0/26'), med: 20, communities: [[65011, 7]], prepend: 2 },
    ]);
    await speaker.settled(10_000);
    await world.waitKernel(['10.10.1.0/26', '10.10.2.0/26']);
    expect((await world.router.paths()).find(({ prefix }) => prefix === '10.10.2.0/26')).toEqual({
      prefix: '10.10.2.0/26',
      nextHop: '10.1.0.11',
      valid: true,
      asPath: [65011, 65011, 65011],
      med: 20,
    });
    expect(await world.router.communities('10.10.2.0/26')).toEqual(['65011:7']);
    speaker.setDesired([route('10.10.2.0/26')]);
    await speaker.settled(10_000);
    await world.waitKernel(['10.10.2.0/26']);
    expect(speaker.status().announced.map(({ prefix }) => prefix.text)).toEqual(['10.1.0.11/32', '10.10.2.0/26']);
    await eventually(
      'the session is shown as up',
      () =>
        speaker
          .status()
          .neighbors.map(({ up }) => up)
          .join() === 'true',
    );
    await world.router.setSession('server', 'shut');
    await world.waitKernelEmpty();
    await world.router.setSession('server', 'open');
    await world.waitKernel(['10.10.2.0/26'], 20_000);
  });

  it('loses no route when the agent is killed, nor when ExaBGP is killed and started again', async () => {
    world = await World.start(undefined, router);
    const agent = await world.agent(pods.map((prefix) => route(prefix)));
    await world.waitKernel(pods);
    await endOfRib();
    const deletions = await world.watchDeletions();
    agent.kill('SIGKILL');
    await sleep(1000);
    await world.waitKernel(pods);
    const speaker = world.speaker();
    speaker.setDesired(pods.map((prefix) => route(prefix)));
    await speaker.settled(10_000);
    world.exabgp.daemon.kill('SIGKILL');
    await world.exabgp.daemon.exited;
    await eventually('the router sees it', async () => !(await world.router.established('server')));
    expect(await world.router.keepsStale('server')).toBe(true);
    await world.startExabgp();
    await world.router.waitEstablished(['server'], 15_000);
    await speaker.settled(10_000);
    await endOfRib();
    await eventually('nothing is stale', async () => !(await world.router.keepsStale('server')));
    expect(await deletions()).toEqual([]);
    await world.waitKernel(pods);
  });
});

describe.each(routerKinds)('on %s, a worker', (router) => {
  it('leaves its routes when ExaBGP is stopped, so a planned stop withdraws them first', async () => {
    world = await World.start(undefined, router);
    const speaker = world.speaker();
    speaker.setDesired(pods.map((prefix) => route(prefix)));
    await world.waitKernel(pods);
    await endOfRib();
    await world.exabgp.stop();
    await eventually('the router sees it', async () => !(await world.router.established('server')));
    await sleep(1000);
    expect(await world.router.keepsStale('server')).toBe(true);
    await world.waitKernel(pods, 100);
    await world.startExabgp();
    await world.router.waitEstablished(['server'], 15_000);
    speaker.setDesired([], { confirmed: true });
    await speaker.settled(10_000);
    await world.waitKernel([]);
    await world.exabgp.stop();
    await eventually('the router sees it', async () => !(await world.router.established('server')));
    await world.waitKernel([], 100);
  });
});

describe.each(routerKinds)('on %s, a blade', (router) => {
  it('withdraws its VIP when the lease has run out, has it back with the agent, and loses it with ExaBGP', async () => {
    world = await World.start(lease, router);
    const agent = await world.agent([route(vip, 'vip')], lease);
    await world.waitKernel([vip]);
    await sleep(2500);
    await world.waitKernel([vip], 100);
    agent.kill('SIGKILL');
    const begin = performance.now();
    await world.waitKernel([], 10_000);
    const tookMs = performance.now() - begin;
    console.log(`lease of 2 s: withdrawn ${tookMs.toFixed(0)} ms after the agent's death`);
    expect(tookMs).toBeGreaterThan(1000);
    expect(tookMs).toBeLessThan(promised(1000 * lease.seconds));
    await world.agent([route(vip, 'vip')], lease);
    await world.waitKernel([vip]);
    world.exabgp.daemon.kill('SIGKILL');
    await eventually('no route', async () => (await world.kernelRoutes()).length === 0, { timeoutMs: 1000 });
  });
});
