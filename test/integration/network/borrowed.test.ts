import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { calico } from '../../support/network/calico.ts';
import { me, World } from './world.ts';

const other = 'paris-worker-2';
const four = { block: '10.10.1.0/26', borrowed: '10.10.1.9', pod: '10.10.1.5', free: '10.10.1.10' };
const six = {
  block: '2001:db8:10::40/122',
  borrowed: '2001:db8:10::49',
  pod: '2001:db8:10::45',
  free: '2001:db8:10::4a',
};
let world: World;

/** A second worker behind the same router, which has a pod with an address of each block of the first one. */
beforeEach(async () => {
  // FRR, because its host is what most sites route with; BIRD is the router of the other files.
  world = await World.start('FRR');
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
    await addRoute('other', 'default', 'via', router, 'src', address);
    await network.ip('tor', 'addr', 'add', router, 'peer', peer, 'dev', 'w2', ...quick);
    // What the router learns from the borrower's agent by BGP.
    await addRoute('tor', pod, 'via', address);
    if (from === '') continue;
    await network.ip('worker', 'addr', 'add', from, 'peer', `${router}/128`, 'dev', 'eth0', 'nodad');
    await addRoute('worker', 'default', 'via', router, 'src', from);
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
const reaches = async (address: string, from = 'worker'): Promise<boolean> => {
  const connect = `timeout 2 bash -c 'exec 3<>/dev/tcp/${address}/7' 2>&1 || true`;
  return (await world.network.exec(from, 'bash', '--norc', '-c', connect)).includes('refused');
};
/** Whether the owner's kernel sends packets to the address nowhere. */
const isBlackholed = (address: string): Promise<boolean> =>
  world.network.ip('worker', 'route', 'get', address).then(
    () => false,
    () => true,
  );
const blocks = (user: string) => [
  ...calico.owned(four.block, me, { 5: me, 9: user }),
  ...calico.owned(six.block, me, { 5: me, 9: user }),
];

/** A pod of the first worker, as Calico connects it: host routes on the worker, a default route to it in the pod. */
async function startPod(): Promise<void> {
  const { network } = world;
  await network.addNamespace('pod');
  await network.link({ namespace: 'pod', device: 'eth0' }, { namespace: 'worker', device: 'cali1' });
  await network.ip('pod', 'addr', 'add', `${four.pod}/32`, 'dev', 'eth0');
  await network.ip('pod', 'addr', 'add', `${six.pod}/128`, 'dev', 'eth0', 'nodad');
  await network.ip('worker', 'addr', 'add', 'fe80::1/64', 'dev', 'cali1', 'nodad');
  await network.ip('pod', 'route', 'add', '10.1.0.11', 'dev', 'eth0');
  await network.ip('pod', 'route', 'add', 'default', 'via', '10.1.0.11', 'src', four.pod);
  await network.ip('pod', 'route', 'add', 'default', 'via', 'fe80::1', 'dev', 'eth0', 'src', six.pod);
  for (const address of [four.pod, six.pod]) await network.ip('worker', 'route', 'add', address, 'dev', 'cali1');
  await network.sysctl('worker', ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1']);
}
/** The kernel knows the way to an IPv6 neighbour only once it has seen the link come up. */
async function addRoute(namespace: string, ...words: readonly string[]): Promise<void> {
  await world.until(`a route of ${namespace}`, async () => {
    await world.network.ip(namespace, 'route', 'add', ...words);
    return true;
  });
}

/** A host outside, behind the router: of a packet with its own address as source the router itself would end the circling. */
async function startClient(): Promise<void> {
  const { network } = world;
  await network.addNamespace('client');
  await network.link({ namespace: 'client', device: 'eth0' }, { namespace: 'tor', device: 'c1' });
  for (const [here, router] of [
    ['192.0.2.2', '192.0.2.1'],
    ['2001:db8:f::2', '2001:db8:f::1'],
  ] as const) {
    const [length, quick] = here.includes(':') ? ['64', ['nodad']] : ['30', []];
    await network.ip('client', 'addr', 'add', `${here}/${length}`, 'dev', 'eth0', ...quick);
    await network.ip('tor', 'addr', 'add', `${router}/${length}`, 'dev', 'c1', ...quick);
    await addRoute('client', 'default', 'via', router);
  }
}
/** How many packets the first worker has sent on for others, by the counters of its kernel. */
async function sentOn(): Promise<{ readonly four: number; readonly six: number }> {
  const count = async (file: string, pattern: RegExp): Promise<number> =>
    Number(pattern.exec(await world.network.exec('worker', 'cat', `/proc/net/${file}`))?.[1] ?? Number.NaN);
  return {
    four: await count('snmp', /\nIp: (?:\d+ ){5}(\d+) /),
    six: await count('snmp6', /Ip6OutForwDatagrams\s+(\d+)/),
  };
}
const lentAddresses = [four.borrowed, six.borrowed];
/** How often the first worker sends one packet on, of each family, that somebody sends to these addresses. */
async function copiesOf(from: string, addresses: readonly string[] = lentAddresses): Promise<readonly number[]> {
  const before = await sentOn();
  const send = addresses.map((address) => `echo x > /dev/udp/${address}/9`).join('; ');
  await world.network.exec(from, 'bash', '--norc', '-c', send);
  // A packet that circles does so within milliseconds; nothing tells that one has ended.
  await new Promise((resolve) => setTimeout(resolve, 500));
  const after = await sentOn();
  return [after.four - before.four, after.six - before.six];
}
const ourRules = async (): Promise<number> => {
  const rules = await Promise.all(['-4', '-6'].map((family) => world.network.ip('worker', family, 'rule', 'show')));
  return rules.join('').split('proto 114').length - 1;
};
const inForce = async (user: string): Promise<boolean> =>
  (await isBlackholed(four.borrowed)) === (user === me) && (await isBlackholed(six.borrowed)) === (user === me);

it('reaches an address of its own block that a pod of another worker borrowed, while nobody else is let out', async () => {
  await world.put('blocks.yaml', blocks(me));
  world.startAgent();
  await world.until('the blocks are blackholed', async () => (await isBlackholed(four.free)) && isBlackholed(six.free));
  expect(await Promise.all([reaches(four.borrowed), reaches(six.borrowed)])).toEqual([false, false]);
  await world.waitRouter(four.block);
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

it('lets no packet from outside circle while the borrower announces nothing, and leaves own pods as they are', async () => {
  const { network } = world;
  await startPod();
  await startClient();
  await world.put('blocks.yaml', blocks(other));
  world.startAgent();
  await world.waitRouter(four.block);
  await addRoute('tor', six.block, 'via', '2001:db8:1::11');
  await world.until('the holes are there', () => inForce(other));
  await world.until('the pod reaches the borrowed addresses, and the client the pod', async () => {
    const pod = [four.borrowed, six.borrowed].map((address) => reaches(address, 'pod'));
    const client = [four.pod, six.pod].map((address) => reaches(address, 'client'));
    return (await Promise.all([...pod, ...client])).every(Boolean);
  });
  // A Drain of the borrower: its routes go, and the addresses stay in use.
  for (const address of [four.borrowed, six.borrowed]) await network.ip('tor', 'route', 'del', address);
  expect(await copiesOf('client')).toEqual([0, 0]);
  expect(await copiesOf('pod')).toEqual([1, 1]);
  expect(await copiesOf('worker')).toEqual([0, 0]);
  expect((await world.status()).uplinkRules).toEqual(
    expect.arrayContaining([`${four.block} from eth0: inside`, `${six.block} from eth0: drop`]),
  );
  expect((await world.status()).notices).toEqual([]);
  // Whoever flushes the rules, the agent puts its own back.
  await network.ip('worker', '-4', 'rule', 'del', 'priority', '115');
  await world.until('all rules are back', async () => (await ourRules()) === 4);
  expect(await world.endAgent('SIGKILL')).toBe('SIGKILL');
  expect(await ourRules()).toBe(4);
  await world.put('blocks.yaml', blocks(me));
  world.startAgent('--withdraw-on-stop');
  await world.until('the holes are closed', () => inForce(me));
  await world.until('no rule is left', async () => (await ourRules()) === 0);
  await world.put('blocks.yaml', blocks(other));
  await world.until('the holes are there again', () => inForce(other));
  expect(await ourRules()).toBe(4);
  expect(await world.endAgent('SIGTERM')).toBe(0);
  expect(await ourRules()).toBe(0);
});

it('lets no packet circle to an address that it borrowed itself, while the pod of it is gone', async () => {
  const { network } = world;
  const lent = { four: `${four.pod}/32`, six: `${six.pod}/128` };
  const hasBlackholes = async (): Promise<boolean> => {
    const routes = await Promise.all(
      ['-4', '-6'].map((family) => network.ip('worker', family, 'route', 'show', 'type', 'blackhole', 'proto', '114')),
    );
    return routes.join('').includes(four.pod) && routes.join('').includes(six.pod);
  };
  await startClient();
  await startPod();
  // The blocks are the other worker's; pods of this one have an address of each.
  await world.put('blocks.yaml', [
    ...calico.owned(four.block, other, { 5: me, 9: other }),
    ...calico.owned(six.block, other, { 5: me, 9: other }),
  ]);
  world.startAgent('--withdraw-on-stop');
  await world.waitRouter(lent.four);
  await network.ip('tor', 'route', 'add', lent.six, 'via', '2001:db8:1::11');
  // The pod's own route is used, whatever stands behind it.
  expect(await Promise.all([reaches(four.pod, 'client'), reaches(six.pod, 'client')])).toEqual([true, true]);
  // The packet to a pod that is there, and the refusal that comes back: the counter counts.
  expect(await copiesOf('client', [four.pod, six.pod])).toEqual([2, 2]);
  // The pod goes; Calico's IPAM and with it the route stay for the moment.
  for (const address of [four.pod, six.pod]) await network.ip('worker', 'route', 'del', address, 'dev', 'cali1');
  expect(await world.inRouter()).toEqual([lent.four]);
  expect(await copiesOf('client', [four.pod, six.pod])).toEqual([0, 0]);
  expect(await hasBlackholes()).toBe(true);
  expect((await world.status()).blackholes.installed).toEqual(Object.values(lent));
  // The address goes back: the route is withdrawn first, then its blackhole goes.
  const seen = await world.watchRoutes();
  await world.put('blocks.yaml', [
    ...calico.owned(four.block, other, { 9: other }),
    ...calico.owned(six.block, other, { 9: other }),
  ]);
  await world.until('no blackhole is left', async () => (await world.blackholes()).length === 0);
  const lines = await seen();
  expect(lines.indexOf(`tor - ${four.pod}`)).toBeGreaterThanOrEqual(0);
  expect(lines.indexOf(`tor - ${four.pod}`)).toBeLessThan(lines.indexOf(`worker - ${four.pod}`));
});
