import { afterEach, beforeEach, expect, it } from 'vitest';
import { promised } from '../../support/promised.ts';
import { eventually, exchangeLines, route, testLimits, World } from './world.ts';

let world: World;
beforeEach(async () => {
  world = await World.start();
});
afterEach(async () => {
  await world.stop();
});

it('refuses by name, announces the rest, and never loses IPv4 routes to an IPv6 one', async () => {
  const speaker = world.speaker();
  speaker.setDesired([
    route('10.10.1.0/26'),
    route('172.16.0.0/26'),
    route('0.0.0.0/0'),
    route('10.0.0.0/8'),
    route('192.0.2.10/32'),
    route('2001:db8:10:1::/64'),
    { ...route('10.10.9.0/26'), nextHop: route('2001:db8:10:1::/64').nextHop },
  ]);
  await speaker.settled(10_000);
  await world.waitKernel(['10.10.1.0/26']);
  expect(Object.fromEntries(speaker.status().refusals.map(({ prefix, reason }) => [prefix, reason]))).toEqual({
    '0.0.0.0/0': 'DefaultRoute',
    '10.0.0.0/8': 'PrefixTooShort',
    '10.10.9.0/26': 'NextHopFamilyMismatch',
    '172.16.0.0/26': 'PrefixOutsideSite',
    '192.0.2.10/32': 'PrefixOutsideSite',
    '2001:db8:10:1::/64': 'NoSessionForFamily',
  });
});

it('refuses garbage on its socket and loses nothing', async () => {
  const speaker = world.speaker();
  speaker.setDesired([route('10.10.1.0/26')]);
  await speaker.settled(10_000);
  await world.waitKernel(['10.10.1.0/26']);
  const deletions = await world.watchDeletions();
  const bad = JSON.stringify({ type: 'desired', revision: 9, complete: true, routes: [{ prefix: '10.10.1.0/26' }] });
  const answers = await exchangeLines(world.socket, `hello\n\u0000\n{}\n${bad}\n${'x'.repeat(100_000)}\n`, 300);
  const refusals = answers.filter((line) => JSON.parse(line).reason === 'BadMessage');
  expect(refusals).toHaveLength(5);
  expect(speaker.status().relay).toBe('synced');
  speaker.setDesired([route('10.10.1.0/26'), route('10.10.2.0/26')]);
  await world.waitKernel(['10.10.1.0/26', '10.10.2.0/26']);
  expect(await deletions()).toEqual([]);
});

it('announces 1,000 routes within seconds, and everything again after the session bounced', async () => {
  const speaker = world.speaker({ limits: { ...testLimits, massWithdrawalWaitMs: 60_000 } });
  const many = Array.from({ length: 1000 }, (_, i) => route(`10.10.${i >> 2}.${(i & 3) * 64}/26`));
  const begin = performance.now();
  speaker.setDesired(many);
  await speaker.settled(20_000);
  const settledMs = performance.now() - begin;
  await world.waitKernel(
    many.map(({ prefix }) => prefix.text),
    20_000,
  );
  const kernelMs = performance.now() - begin;
  console.log(
    `1,000 routes: acknowledged after ${settledMs.toFixed(0)} ms, in the kernel after ${kernelMs.toFixed(0)} ms`,
  );
  expect(kernelMs).toBeLessThan(promised(5000));

  await world.router.setSession('server', 'shut');
  await world.waitKernelEmpty();
  await world.router.setSession('server', 'open');
  await world.waitKernel(
    many.map(({ prefix }) => prefix.text),
    20_000,
  );

  speaker.setDesired([]);
  await eventually('a mass withdrawal waits', () =>
    speaker.status().refusals.some(({ reason }) => reason === 'MassWithdrawal'),
  );
  expect((await world.kernelRoutes()).length).toBe(1001);
  speaker.setDesired([], { confirmed: true });
  await world.waitKernel([], 20_000);
});
