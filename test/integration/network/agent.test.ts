import { rmSync, writeFileSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { calico } from '../../support/network/calico.ts';
import { promised } from '../../support/promised.ts';
import { basics, me, World } from './world.ts';

const a = '10.10.1.0/26';
const b = '10.10.3.0/26';
let world: World;
beforeEach(async () => {
  world = await World.start();
  await world.put('basics.yaml', basics);
  await world.put('a.yaml', calico.owned(a, me, { 5: me }));
});
afterEach(() => world.stop());

const running = async (...more: readonly string[]): Promise<void> => {
  world.startAgent(...more);
  await world.waitRouter(a);
  await world.waitBlackholes(a);
};
const stale = (reason: string): Promise<void> =>
  world.until(`stale ${reason}`, async () => {
    const { source } = await world.status();
    return source.phase === 'stale' && source.reason === reason;
  });
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

it('claims a block: the blackhole with our protocol first, then the route in the router', async () => {
  const seen = await world.watchRoutes();
  await running();
  const begin = performance.now();
  await world.put('b.yaml', calico.owned(b, me));
  await world.waitRouter(a, b);
  console.log(`block in the folder → route in the router's kernel: ${(performance.now() - begin).toFixed(0)} ms`);
  await world.waitBlackholes(a, b);
  const order = await seen();
  expect(order.indexOf(`worker + ${a}`)).toBeGreaterThanOrEqual(0);
  expect(order.indexOf(`tor + ${a}`)).toBeGreaterThan(order.indexOf(`worker + ${a}`));
  expect(order.indexOf(`tor + ${b}`)).toBeGreaterThan(order.indexOf(`worker + ${b}`));
  expect(await world.network.ip('worker', 'route', 'show', 'proto', '114')).toContain(`blackhole ${a} metric 65535`);
});

it('announces no block that is pending, foreign, or outside the site, and says why', async () => {
  await world.put('others.yaml', [
    calico.pool('10.99.0.0/16'),
    calico.affinity('10.10.4.0/26', me, { state: 'pending' }),
    calico.block('10.10.4.0/26', `host:${me}`),
    ...calico.owned('10.10.2.0/26', 'paris-worker-2'),
    calico.affinity('10.10.2.0/26', me),
    ...calico.owned('10.99.1.0/26', me),
    ...calico.owned('10.10.5.0/26', 'paris-worker-2', { 9: me }),
  ]);
  world.startAgent();
  await world.waitRouter(a, '10.10.5.9/32');
  const { refusals, relay, neighbors } = await world.status();
  expect(refusals.map(({ subject, reason }) => `${subject} ${reason}`).toSorted()).toEqual([
    '10.10.2.0/26 BlockOfOtherNode',
    '10.10.4.0/26 AffinityPending',
    '10.99.1.0/26 PrefixOutsideSite',
  ]);
  expect({ relay, up: neighbors.map(({ up }) => up) }).toEqual({ relay: 'synced', up: [true] });
  expect(await world.get('/metrics')).toMatch(/tideline_network_refusals\{reason="AffinityPending"[^}]*\} 1/);
  expect(await world.blackholes()).toEqual([a, '10.10.5.9/32']);
});

it('withdraws nothing when its input is lost: removed, emptied, garbled', async () => {
  await world.put('b.yaml', calico.owned(b, me));
  world.startAgent();
  await world.waitRouter(a, b);
  const seen = await world.watchRoutes();
  await world.loseManifests();
  await stale('SourceMissing');
  await world.restoreManifests();
  await world.until('live', async () => (await world.status()).source.phase === 'live');
  // At once: a folder that loses one file after another may be read between two, and one file is believed.
  for (const file of ['a.yaml', 'b.yaml', 'basics.yaml']) rmSync(join(world.manifests, file));
  await stale('SourceEmpty');
  await world.putAll();
  await world.until('live', async () => (await world.status()).source.phase === 'live');
  for (const file of ['a.yaml', 'b.yaml', 'basics.yaml']) writeFileSync(join(world.manifests, file), '\u0000garbage');
  await stale('SourceUnreadable');
  await pause(1500);
  expect((await seen()).filter((line) => line.includes(' - '))).toEqual([]);
  expect(await world.inRouter()).toEqual([a, b]);
  const { wanted, action } = await world.status();
  expect({ action, wanted: wanted.length }).toEqual({ action: 'announce', wanted: 3 });
});

it('withdraws nothing when its pool is deleted, shrunk, or banned for the whole cluster, and says so', async () => {
  await running();
  const seen = await world.watchRoutes();
  const [node, other] = basics;
  if (node === undefined || other === undefined) throw new Error('unreachable');
  const noticed = (reason: string): Promise<void> =>
    world.until(
      reason,
      async () => (await world.status()).notices?.some((notice) => notice.reason === reason) === true,
    );
  const inner = calico.pool('10.10.1.0/24', { blockSize: 28 });
  await world.put('basics.yaml', [node, other, calico.pool('10.77.0.0/16')]);
  await noticed('PoolMissing');
  await world.put('basics.yaml', [...basics, inner]);
  await noticed('BlockSizeMismatch');
  await world.put('basics.yaml', [node, other, calico.pool('10.10.0.0/16', { disableBGPExport: true })]);
  await noticed('ExportBanWaits');
  await pause(500);
  expect(await seen()).toEqual([]);
  expect(await world.get('/metrics')).toMatch(/tideline_network_notices\{reason="ExportBanWaits"[^}]*\} 1/);
});

it("holds when its Node claims another worker's address, or one that was not rendered", async () => {
  await running();
  const seen = await world.watchRoutes();
  const claims = (address: string): Promise<void> =>
    world.put('basics.yaml', [calico.node(me, address), ...basics.slice(1)]);
  const holds = (reason: string): Promise<void> =>
    world.until(reason, async () => (await world.status()).reason === reason);
  await claims('10.1.0.12');
  await holds('AddressNotHere');
  await world.network.ip('worker', 'addr', 'add', '10.1.0.12/32', 'dev', 'eth0');
  await claims('10.1.0.12');
  await holds('NextHopNotRendered');
  await claims('10.1.0.11');
  await world.until('announce', async () => (await world.status()).action === 'announce');
  expect(await seen()).toEqual([]);
  expect(await world.network.ip('tor', 'route', 'show', a)).toContain('via 10.1.0.11');
});

it('withdraws at once what another node has by now, however much that is, and obeys an edited Site', async () => {
  const many = Array.from({ length: 12 }, (_, index) => `10.10.${100 + index}.0/26`);
  const owned = (node: string) => many.flatMap((cidr) => calico.owned(cidr, node));
  await world.put('many.yaml', owned(me));
  world.startAgent();
  await world.waitRouter(a, ...many);
  const begin = performance.now();
  await world.put('many.yaml', owned('paris-worker-2'));
  await world.waitRouter(a);
  // At once: the guard against mass withdrawals would wait a minute.
  expect(performance.now() - begin).toBeLessThan(promised(2000));
  await world.put('b.yaml', [calico.pool('10.99.0.0/16'), ...calico.owned('10.99.1.0/26', me)]);
  await world.until('refused', async () => (await world.status()).refusals.length > 0);
  const sites = join(world.directory, 'platform/sites.yaml');
  const text = await readFile(sites, 'utf8');
  await writeFile(sites, text.replace('pods: [10.10.0.0/16]', 'pods: [10.10.0.0/16, 10.99.0.0/16]'));
  await world.until('announced', async () =>
    (await world.status()).announced.some(({ prefix }) => prefix === '10.99.1.0/26'),
  );
});

it('loses no route when it is killed and started again, even without its input, and catches up', async () => {
  await running();
  const seen = await world.watchRoutes();
  expect(await world.endAgent('SIGKILL')).toBe('SIGKILL');
  await world.loseManifests();
  world.startAgent();
  await world.until('it waits', async () => (await world.status()).reason === 'NotSynced');
  await pause(500);
  await world.restoreManifests();
  await world.put('b.yaml', calico.owned(b, me));
  await world.waitRouter(a, b);
  expect((await seen()).filter((line) => line.includes(' - '))).toEqual([]);
  expect(await world.endAgent('SIGTERM')).toBe(0);
  await pause(500);
  expect(await world.inRouter()).toEqual([a, b]);
  expect(await world.blackholes()).toEqual([a, b]);
  await world.remove('b.yaml');
  world.startAgent();
  await world.waitRouter(a);
  await world.waitBlackholes(a);
});

it('loses no route when ExaBGP is killed and started again', async () => {
  await running();
  const seen = await world.watchRoutes();
  await world.killExabgp();
  await world.startExabgp();
  await world.until('in step again', async () => {
    const { relay, announced, neighbors } = await world.status();
    return relay === 'synced' && neighbors[0]?.up === true && announced.some(({ prefix }) => prefix === a);
  });
  await pause(500);
  expect((await seen()).filter((line) => line.includes(' - '))).toEqual([]);
});

it('releases a block in order: host routes, then the block, then the blackhole', async () => {
  await world.put('b.yaml', calico.owned(b, me, { 7: me }));
  world.startAgent();
  await world.waitRouter(a, b);
  const seen = await world.watchRoutes();
  await pause(200);
  await world.put('b.yaml', [
    calico.affinity(b, me, { state: 'pendingDeletion' }),
    calico.block(b, undefined, { 7: me }),
  ]);
  await world.waitRouter(a, '10.10.3.7/32');
  await world.waitBlackholes(a, '10.10.3.7/32');
  await world.remove('b.yaml');
  await world.waitRouter(a);
  await world.waitBlackholes(a);
  const order = (await seen()).filter((line) => line.includes('10.10.3'));
  const host = ['worker + 10.10.3.7', 'tor + 10.10.3.7', 'tor - 10.10.3.7', 'worker - 10.10.3.7'];
  expect(order).toEqual([...host.slice(0, 2), `tor - ${b}`, `worker - ${b}`, ...host.slice(2)]);
});

it('puts back a blackhole that somebody removed, and touches no route of others', async () => {
  await world.network.ip('worker', 'route', 'add', 'blackhole', '10.10.77.0/26', 'proto', '80');
  await world.network.ip('worker', 'route', 'add', 'blackhole', '10.10.78.0/26', 'proto', '114', 'metric', '65535');
  await running();
  await world.network.ip('worker', 'route', 'del', 'blackhole', a, 'proto', '114');
  // The agent follows the kernel's table, and reads it every ten seconds in any case.
  await world.until('it is back', async () => (await world.blackholes()).includes(a), promised(10_000));
  expect(await world.network.ip('worker', 'route', 'show', 'proto', '80')).toContain('10.10.77.0/26');
});

it('names the route or rule of another program that takes the place or the packets of a block', async () => {
  await world.network.ip('worker', 'route', 'add', 'unreachable', a, 'proto', '80', 'metric', '65535');
  await world.network.ip('worker', 'route', 'add', '10.10.3.0/27', 'via', '10.1.0.1');
  await world.network.ip('worker', 'rule', 'add', 'to', b, 'lookup', '100', 'pref', '50');
  await world.network.ip('worker', 'route', 'add', 'default', 'via', '10.1.0.1', 'table', '100');
  await world.put('b.yaml', calico.owned(b, me));
  world.startAgent();
  await world.waitRouter(b);
  await world.until('the agent names all three', async () => {
    const { refusals, notices = [] } = await world.status();
    const named = [...refusals, ...notices].map(({ subject, reason }) => `${subject} ${reason}`).toSorted();
    return named.join() === [`${a} BlackholeTaken`, `${b} RouteShadows`, `${b} RuleShadows`].join();
  });
  await world.network.ip('worker', 'route', 'del', 'unreachable', a, 'proto', '80');
  await world.waitRouter(a, b);
});

it('withdraws for a Drain of its worker until it ends, and for a deleted Node', async () => {
  await running();
  const drain = (expires: string) => ({
    apiVersion: 'tideline.dev/v1alpha1',
    kind: 'Drain',
    metadata: { name: 'maintenance' },
    spec: { target: { kind: 'Worker', name: me }, reason: 'test', expires },
  });
  await world.putSpec('drain.yaml', drain('2099-01-01T00:00:00Z'));
  // The platform folder is looked at every second, and what a drain withdraws waits for nothing.
  await world.until('it is withdrawn', async () => (await world.inRouter()).length === 0, promised(2000));
  await world.waitBlackholes();
  expect(await world.status()).toMatchObject({
    action: 'announce',
    reason: 'NodeDrained',
    wanted: [{ class: 'server' }],
  });
  await rm(join(world.directory, 'platform/drain.yaml'));
  await world.waitRouter(a);
  await world.put('basics.yaml', basics.slice(1));
  await world.waitRouter();
  expect(await world.status()).toMatchObject({ reason: 'NodeDeleted', wanted: [] });
});

it('keeps its routes in a Drain until none of its pods is Ready, and withdraws at once when it is forced', async () => {
  await running();
  const drain = (force: boolean) => ({
    apiVersion: 'tideline.dev/v1alpha1',
    kind: 'Drain',
    metadata: { name: 'maintenance' },
    spec: { target: { kind: 'Worker', name: me }, force, reason: 'test', expires: '2099-01-01T00:00:00Z' },
  });
  const pod = (ready: 'True' | 'False') => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { nodeName: me },
    status: { conditions: [{ type: 'Ready', status: ready }] },
  });
  await world.put('pod.yaml', [pod('True')]);
  await world.putSpec('drain.yaml', drain(false));
  await world.until('the Drain waits', async () => {
    const { notices = [] } = await world.status();
    return notices.some(({ reason, message }) => reason === 'DrainWaits' && message.includes('shop/web'));
  });
  expect(await world.inRouter()).toContain(a);
  await world.put('pod.yaml', [pod('False')]);
  await world.waitRouter();
  await world.put('pod.yaml', [pod('True')]);
  await world.waitRouter(a);
  await world.putSpec('drain.yaml', drain(true));
  await world.waitRouter();
});

it('withdraws more blocks than the limit of a minute in time when it is told to at its end', async () => {
  const many = Array.from({ length: 90 }, (_, i) => `10.10.${100 + (i >> 2)}.${(i & 3) * 64}/26`);
  await world.put(
    'many.yaml',
    many.flatMap((block) => calico.owned(block, me)),
  );
  world.startAgent('--withdraw-on-stop');
  await world.waitRouter(a, ...many);
  expect(await world.endAgent('SIGTERM')).toBe(0);
  await world.waitRouter();
  expect(await world.blackholes()).toEqual([]);
});

it('withdraws in order when it is told to at its end, and is small', async () => {
  await running('--withdraw-on-stop');
  const memory = /VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${world.agentPid}/status`, 'utf8'))?.[1];
  console.log(`RSS of the agent: ${(Number(memory) / 1024).toFixed(0)} MiB`);
  expect(Number(memory) / 1024).toBeLessThan(150);
  const seen = await world.watchRoutes();
  await pause(200);
  expect(await world.endAgent('SIGTERM')).toBe(0);
  await world.waitRouter();
  expect(await world.blackholes()).toEqual([]);
  expect(await seen()).toEqual([`tor - ${a}`, `worker - ${a}`]);
});
