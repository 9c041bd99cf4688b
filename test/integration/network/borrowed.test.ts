import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { calico } from '../../support/network/calico.ts';
import { me, World } from './world.ts';

const other = 'paris-worker-2';
const four = { block: '10.10.1.0/26', borrowed: '10.10.1.9', free: '10.10.1.10' };
const six = { block: '2001:db8:10::40/122', borrowed: '2001:db8:10::49', free: '2001:db8:10::4a' };
let world: World;

/** A second worker behind the same router, which has a pod with an address of each block of the first one. */
beforeEach(async () => {
  world = await World.start();
  const { network } = world;
  await network.addNamespace('other');
  await network.link({ namespace: 'other', device: 'eth0' }, { namespace: 'tor', device: 'w2' });
  for (const [address, router, peer, pod, from] of [
    ['10.1.0.12', '10.1.0.1', '10.1.0.12/32', four.borrowed, ''],
    ['2001:db8:1::12', '2001:db8:1::1', '2001:db8:1::12/128', six.borrowed, '2001:db8:1::11'],
  ] as const) {
    const quick = address.includes(':') ? ['nodad'] : [];
    await network.ip(
      'other',
      'addr',
      'add',
      address,
      'peer',
      `${router}/${peer.split('/')[1]}`,
      'dev',
      'eth0',
      ...quick,
    );
    await network.ip('other', 'addr', 'add', pod, 'dev', 'lo');
    await network.ip('other', 'route', 'add', 'default', 'via', router, 'src', address);
    await network.ip('tor', 'addr', 'add', router, 'peer', peer, 'dev', 'w2', ...quick);
    // What the router learns from the borrower's agent by BGP.
    await network.ip('tor', 'route', 'add', pod, 'via', address);
    if (from === '') continue;
    await network.ip('worker', 'addr', 'add', from, 'peer', `${router}/128`, 'dev', 'eth0', 'nodad');
    await network.ip('worker', 'route', 'add', 'default', 'via', router, 'src', from);
    await network.ip('tor', 'addr', 'add', router, 'peer', `${from}/128`, 'dev', 'w1', 'nodad');
  }
  await network.sysctl('tor', ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1']);
  const sites = join(world.directory, 'platform/sites.yaml');
  const text = await readFile(sites, 'utf8');
  await writeFile(
    sites,
    text
      .replace('pods: [10.10.0.0/16]', 'pods: [10.10.0.0/16, "2001:db8:10::/48"]')
      .replace('servers: [10.1.0.0/24]', 'servers: [10.1.0.0/24, "2001:db8:1::/64"]'),
  );
  await world.put('basics.yaml', [
    calico.node(me, '10.1.0.11 2001:db8:1::11'),
    calico.node(other, '10.1.0.12'),
    calico.pool('10.10.0.0/16'),
    calico.pool('2001:db8:10::/48'),
  ]);
});
afterEach(() => world.stop());

/** Whether packets come back: nothing listens there, so a refusal is the answer of the pod's host. */
const reaches = async (address: string): Promise<boolean> => {
  const connect = `timeout 2 bash -c 'exec 3<>/dev/tcp/${address}/7' 2>&1 || true`;
  return (await world.network.exec('worker', 'bash', '-c', connect)).includes('refused');
};
/** Whether the owner's kernel sends packets to the address nowhere. */
const isBlackholed = (address: string): Promise<boolean> =>
  world.network.ip('worker', 'route', 'get', address).then(
    () => false,
    () => true,
  );
const blocks = (user: string) => [
  ...calico.owned(four.block, me, { 9: user }),
  ...calico.owned(six.block, me, { 9: user }),
];

it('reaches an address of its own block that a pod of another worker borrowed, while nobody else is let out', async () => {
  await world.put('blocks.yaml', blocks(me));
  world.startAgent();
  await world.until('the blocks are blackholed', async () => (await isBlackholed(four.free)) && isBlackholed(six.free));
  expect(await Promise.all([reaches(four.borrowed), reaches(six.borrowed)])).toEqual([false, false]);
  const seen = await world.watchRoutes();
  await world.put('blocks.yaml', blocks(other));
  await world.until('the borrowed addresses are reached', async () =>
    (await Promise.all([reaches(four.borrowed), reaches(six.borrowed)])).every(Boolean),
  );
  expect(await Promise.all([isBlackholed(four.free), isBlackholed(six.free)])).toEqual([true, true]);
  expect(await world.inRouter()).toContain(four.block);
  const opened = await seen();
  expect(opened.indexOf('worker + 10.10.1.10/31')).toBeLessThan(opened.indexOf(`worker - ${four.block}`));
  await world.put('blocks.yaml', blocks(me));
  await world.until('the holes are closed', async () =>
    (await Promise.all([isBlackholed(four.borrowed), isBlackholed(six.borrowed)])).every(Boolean),
  );
  await world.until('one blackhole a block is left', async () => (await world.blackholes()).join() === four.block);
  expect((await seen()).filter((line) => line.startsWith('tor'))).toEqual([]);
});
