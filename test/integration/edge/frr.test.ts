import { afterAll, beforeAll, expect, it } from 'vitest';
import { videoIngress } from '../../support/clusters/objects.ts';
import { promised } from '../../support/promised.ts';
import { Load, podOf } from './client.ts';
import { type Blade, eventually, vip, World } from './world.ts';

// What two blades announce to a router that is FRR; the other tests of this folder have BIRD. The tests build on each other.
let world: World;
let one: Blade;
let two: Blade;
const host = 'www.video.example';
/** What the READMEs of the edge and of src/bgp promise: of an unfit blade, and of a lease (5 s by default) without an agent. */
const withdrawnWithinMs = 2000;
const leaseMs = 5000;

const objects = [
  { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'video' }, spec: { ports: [{ port: 80 }] } },
  videoIngress('web', host),
  {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'web-1', namespace: 'video', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    ports: [{ port: 3000 }],
    endpoints: [{ addresses: ['10.10.1.5'], conditions: { ready: true } }],
  },
];

const routedTo = (what: string, blades: readonly Blade[], timeoutMs = 15_000): Promise<true> => {
  const wanted = blades.map(({ address }) => address).join();
  return eventually(what, async () => (await world.routed()).join() === wanted && true, { timeoutMs });
};

beforeAll(async () => {
  world = await World.create({ 'web.yaml': objects }, 'FRR');
  [one, two] = world.blades;
  await world.pod('first', 5);
  await routedTo('both blades are routed to', [one, two], 30_000);
});
afterAll(() => world?.destroy());

it('FRR has one route to the VIP with both blades, and a request goes by it', async () => {
  expect(await world.network.ip('tor', 'route', 'show', vip)).toMatch(/proto bgp/);
  await eventually('it is served', async () => (await podOf(host)) === 'first');
});

it('a blade is out as soon as its nginx died, and back with it', async () => {
  await one.nginx.kill();
  await routedTo('only the other blade is routed to', [two], promised(withdrawnWithinMs));
  expect(await podOf(host)).toBe('first');
  await one.startNginx();
  await routedTo('both blades are routed to', [one, two]);
});

it('a drain costs no request', async () => {
  const load = new Load(host);
  await world.writePlatform({ kind: 'Blade', name: one.name, seconds: 6 });
  await routedTo('the drained blade is out', [two]);
  await routedTo('both blades are routed to', [one, two]);
  expect((await load.stop({ moves: 2 })).failures).toEqual([]);
  await world.writePlatform();
});

it('the VIP of a blade without an agent goes with its lease, and that of the keeper stays', async () => {
  one.agent.kill('SIGKILL');
  two.agent.kill('SIGKILL');
  await Promise.all([one.agent.exited, two.agent.exited]);
  const [keeper, other] = await eventually(
    'one of them is left',
    async () => {
      const [address, ...more] = await world.routed();
      if (more.length > 0 || address === undefined) return undefined;
      return address === one.address ? [one, two] : [two, one];
    },
    { timeoutMs: promised(leaseMs) },
  );
  expect(await podOf(host)).toBe('first');
  for (const blade of [keeper, other]) blade?.startAgent();
  await routedTo('both blades are routed to', [one, two]);
});

it('without its ExaBGP a blade is out at once, because nothing of it is kept as stale', async () => {
  one.exabgp?.daemon.kill('SIGKILL');
  await routedTo('only the other blade is routed to', [two], promised(1000));
});
