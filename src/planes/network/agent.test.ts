import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { calico } from '../../../test/support/network/calico.ts';
import { agentOf, InMemory, paris, siteOf } from '../../../test/support/network/in-memory.ts';
import { parsePrefix } from '../../model/address.ts';
import { Drain } from '../../model/spec/kinds.ts';
import type { NetworkAgent } from './agent.ts';

const apiVersion = 'tideline.dev/v1alpha1';
const me = 'paris-worker-1';
const a = '10.10.1.0/26';
const b = '10.10.2.0/26';
const base = [calico.node(me, '10.1.0.11'), calico.node('other', '10.1.0.12'), calico.pool('10.10.0.0/16')];

describe('NetworkAgent', () => {
  let world: InMemory;
  let agent: NetworkAgent;
  beforeEach(() => {
    world = new InMemory();
    agent = make();
    agent.start();
  });
  afterEach(() => agent.stop());
  const drainForAMinute = (): void => {
    const expires = new Date(world.clock.now() + 60_000).toISOString();
    const target = { kind: 'Worker', name: me };
    const drain = { apiVersion, kind: 'Drain', metadata: { name: 'd' }, spec: { target, reason: 'disk', expires } };
    world.spec = { sites: [paris], drains: [Drain.parse(drain)] };
    agent.refresh();
  };

  const make = (): NetworkAgent => agentOf(world);
  const allowed = (): readonly string[] => agent.limits().allowed.pods.map(({ text }) => text);
  const happens = (ms?: number): Promise<readonly string[]> => world.happens(ms);

  it('asks for nothing before the first sync', async () => {
    expect(await happens(60_000)).toEqual([]);
    expect(agent.status()).toMatchObject({ action: 'hold', reason: 'NotSynced' });
  });

  it('claims blackhole first, and releases it a moment after the block', async () => {
    world.publish(...base, ...calico.owned(a, me));
    expect(await happens()).toEqual([`+ ${a}`, `announce [10.1.0.11/32 ${a}]`]);
    world.publish(...base);
    expect(await happens(500)).toEqual(['announce [10.1.0.11/32]']);
    expect(await happens(1000)).toEqual([`- ${a}`]);
  });

  it('keeps a block until its host routes are announced, but not for ever', async () => {
    world.publish(...base, ...calico.owned(a, me));
    await happens();
    world.acknowledges = false;
    world.publish(...base, calico.block(a, undefined, { 7: me }));
    expect(await happens(2000)).toEqual(['+ 10.10.1.7/32', `announce [10.1.0.11/32 ${a} 10.10.1.7/32]`]);
    world.acknowledge();
    expect(await happens(100)).toEqual(['announce [10.1.0.11/32 10.10.1.7/32]']);
    world.acknowledge();
    world.publish(...base, calico.block(b, undefined, { 9: me }));
    expect(await happens(100)).toEqual(['+ 10.10.2.9/32', 'announce [10.1.0.11/32 10.10.1.7/32 10.10.2.9/32]']);
    expect(await happens(4000)).toEqual([`- ${a}`]);
    expect(await happens(1000)).toContain('announce [10.1.0.11/32 10.10.2.9/32]');
  });

  it('releases a block also when its time comes while the run before is at work', async () => {
    world.publish(...base, ...calico.owned(a, me), ...calico.owned(b, me));
    await happens();
    world.publish(...base, ...calico.owned(b, me));
    await happens(5);
    world.publish(...base);
    await happens(900);
    world.changeTakesMs = 8;
    expect(await happens(200)).toEqual([`- ${a}`, `- ${b}`]);
  });

  it('announces nothing before it knows what ExaBGP holds, and then keeps the order', async () => {
    world.relay = 'disconnected';
    world.publish(...base, ...calico.owned(a, me));
    expect(await happens()).toEqual([`+ ${a}`]);
    world.relay = 'synced';
    world.wake();
    expect(await happens()).toEqual([`announce [10.1.0.11/32 ${a}]`]);
  });

  it('gives the speaker the same set only once', async () => {
    world.publish(...base, ...calico.owned(a, me));
    await happens();
    world.publish(...base, ...calico.owned(a, me));
    for (let turn = 0; turn < 5; turn += 1) world.wake();
    expect(await happens(60_000)).toEqual([]);
  });

  it('holds when no node can be seen', async () => {
    world.publish(...base, ...calico.owned(a, me));
    await happens();
    world.publish(calico.pool('10.10.0.0/16'));
    expect(await happens(60_000)).toEqual([]);
    expect(agent.status()).toMatchObject({ action: 'hold', reason: 'NodesMissing' });
  });

  it('holds when no pool can be seen, and when it never saw its Node; withdraws when that was deleted', async () => {
    world.announced = [];
    const [, other, pool] = base;
    if (other === undefined || pool === undefined) throw new Error('unreachable');
    world.publish(other, pool, ...calico.owned(a, me));
    expect(await happens(60_000)).toEqual([]);
    expect(agent.status()).toMatchObject({ action: 'hold', reason: 'NodeUnknown' });
    world.publish(...base, ...calico.owned(a, me));
    await happens();
    world.publish(...base.slice(0, 2), ...calico.owned(a, me));
    expect(await happens(60_000)).toEqual([]);
    expect(agent.status()).toMatchObject({ action: 'announce', notices: [{ subject: a, reason: 'PoolMissing' }] });
    world.publish(...base.slice(0, 2), calico.affinity(b, 'other'));
    expect(await happens(60_000)).toEqual([]);
    expect(agent.status()).toMatchObject({ action: 'hold', reason: 'PoolsMissing' });
    world.publish(other, pool);
    expect(await happens(5000)).toEqual(['announce [] confirmed', `- ${a}`]);
  });

  it('keeps its blocks when their pool is deleted, also after a restart of agent and ExaBGP, by the blackholes', async () => {
    world.publish(...base, ...calico.owned(a, me));
    await happens();
    const edited = [...base.slice(0, 2), calico.pool('10.77.0.0/16'), ...calico.owned(a, me)];
    world.publish(...edited);
    expect(await happens(60_000)).toEqual([]);
    expect(agent.status()).toMatchObject({ refusals: [], notices: [{ subject: a, reason: 'PoolMissing' }] });
    await agent.stop();
    world.announced = [];
    agent = make();
    agent.start();
    world.publish(...edited);
    expect(await happens()).toEqual([`announce [10.1.0.11/32 ${a}]`]);
  });

  it('announces what pods use after a Drain and after a reboot, though the only pool was deleted meanwhile', async () => {
    world.publish(...base, ...calico.owned(a, me, { 3: me }));
    await happens();
    world.publish(...base.slice(0, 2), ...calico.owned(a, me, { 3: me }));
    await happens();
    drainForAMinute();
    expect(await happens(5000)).toEqual(['announce [10.1.0.11/32] confirmed', `- ${a}`]);
    expect(await happens(70_000)).toEqual([`+ ${a}`, `announce [10.1.0.11/32 ${a}]`]);
    await agent.stop();
    world.announced = [];
    world.kernel = [];
    agent = make();
    agent.start();
    world.publish(...base.slice(0, 2), ...calico.owned(a, me, { 3: me }));
    expect(await happens()).toEqual([`+ ${a}`, `announce [10.1.0.11/32 ${a}]`]);
  });

  it('remembers the ban of a pool that is deleted, also over a Drain', async () => {
    const used = calico.owned(a, me, { 3: me });
    world.publish(...base.slice(0, 2), calico.pool('10.10.0.0/16', { disableBGPExport: true }), ...used);
    await happens();
    world.publish(...base.slice(0, 2), ...used);
    await happens();
    drainForAMinute();
    await happens(70_000);
    expect(world.announced.map(({ prefix }) => prefix.text)).toEqual(['10.1.0.11/32']);
    expect(agent.status()).toMatchObject({ refusals: [{ subject: a, reason: 'PoolMissing' }] });
  });

  it('withdraws ten minutes after an edit of its Site that takes most of what the site announces, and not when it was mended', async () => {
    world.publish(...base, ...calico.owned(a, me));
    await happens();
    const edit = (pods: string, servers = '10.1.0.0/24'): void => {
      world.spec = { sites: [siteOf(pods, servers)], drains: [] };
      agent.refresh();
    };
    edit('10.11.0.0/16');
    expect(await happens(590_000)).toEqual([]);
    expect(agent.status()).toMatchObject({ refusals: [], notices: [{ subject: a, reason: 'SiteEditWaits' }] });
    expect(allowed()).toEqual(['10.11.0.0/16', a]);
    edit('10.10.0.0/16');
    await happens();
    expect(allowed()).toEqual(['10.10.0.0/16']);
    edit('10.11.0.0/16');
    // An agent that is started anew does not know the Site as it was; ExaBGP and the kernel tell what was announced.
    await agent.stop();
    agent = make();
    agent.start();
    world.publish(...base, ...calico.owned(a, me));
    expect(await happens(590_000)).toEqual([`announce [10.1.0.11/32 ${a}]`]);
    expect(await happens(20_000)).toEqual(['announce [10.1.0.11/32]', `- ${a}`]);
    expect(allowed()).toEqual(['10.11.0.0/16']);
    expect(agent.status()).toMatchObject({ refusals: [{ subject: a, reason: 'PrefixOutsideSite' }], notices: [] });
  });

  it('keeps the limits of the Sites that it announces by while an edit of its Site makes it hold', async () => {
    world.publish(...base, ...calico.owned(a, me));
    await happens();
    world.spec = { sites: [siteOf('10.10.0.0/16', '10.2.0.0/24')], drains: [] };
    agent.refresh();
    expect(await happens(3_600_000)).toEqual([]);
    expect(agent.status()).toMatchObject({ action: 'hold', reason: 'NodeAddressMissing' });
    expect(agent.limits().allowed.server.map(({ text }) => text)).toEqual(['10.1.0.0/24']);
  });

  it('withdraws ten minutes after a ban that takes most of what the cluster announces, and not when it was lifted', async () => {
    const cluster = (ban: boolean) => [
      ...base.slice(0, 2),
      calico.pool('10.10.0.0/16', { disableBGPExport: ban }),
      ...calico.owned(a, me),
    ];
    world.publish(...cluster(false));
    await happens();
    world.publish(...cluster(true));
    expect(await happens(590_000)).toEqual([]);
    expect(agent.status()).toMatchObject({ notices: [{ subject: a, reason: 'ExportBanWaits' }] });
    world.publish(...cluster(false));
    await happens();
    world.publish(...cluster(true));
    expect(await happens(590_000)).toEqual([]);
    expect(await happens(20_000)).toEqual([`announce [10.1.0.11/32] without ${a}`, `- ${a}`]);
    expect(await happens(3_600_000)).toEqual([]);
  });

  it('withdraws at once what a ban takes when a person accepts it by its fingerprint, and nothing for another one', async () => {
    world.publish(...base, ...calico.owned(a, me));
    await happens();
    world.publish(...base.slice(0, 2), calico.pool('10.10.0.0/16', { disableBGPExport: true }), ...calico.owned(a, me));
    await happens(5000);
    const [doubt] = agent.doubting().doubts;
    expect(doubt).toMatchObject({ reason: 'ExportBanWaits', objects: [a], acceptFile: '/state/accept-network-paris' });
    world.accepted = { said: '000000000000', writtenMs: world.clock.now() };
    expect(await happens(5000)).toEqual([]);
    world.accepted = { said: doubt?.fingerprint ?? '', by: 'anna', writtenMs: world.clock.now() };
    expect(await happens(3000)).toEqual([`announce [10.1.0.11/32] without ${a}`, `- ${a}`]);
    expect(agent.doubting()).toMatchObject({ doubts: [], accepted: [{ fingerprint: doubt?.fingerprint, by: 'anna' }] });
    expect(world.accepted).toBeUndefined();
  });

  it('withdraws a block that is of another node by now without waiting for a new one to be announced', async () => {
    world.publish(...base, ...calico.owned(a, me));
    await happens();
    world.acknowledges = false;
    world.publish(...base, ...calico.owned(a, 'other'), ...calico.owned(b, me));
    expect(await happens(100)).toEqual([`+ ${b}`, `announce [10.1.0.11/32 ${b}] without ${a}`]);
  });

  it("holds while the Node's address is not this machine's, or not the rendered one, and takes no other Node's end for its own", async () => {
    world.publish(...base, ...calico.owned(a, me));
    await happens();
    const moved = (...address: readonly string[]) => [calico.node(me, address.join(' ')), ...base.slice(1)];
    world.publish(...moved('10.1.0.12'), ...calico.owned(a, me), ...calico.owned(b, me));
    expect(await happens(60_000)).toEqual([]);
    expect(agent.status()).toMatchObject({ action: 'hold', reason: 'AddressNotHere' });
    world.addresses = new Set(['10.1.0.11', '10.1.0.12']);
    world.fixed = [parsePrefix('10.1.0.11/32')].filter((prefix) => prefix !== undefined);
    expect(await happens(60_000)).toEqual([]);
    expect(agent.status()).toMatchObject({ action: 'hold', reason: 'NextHopNotRendered' });
    world.publish(...moved('10.1.0.12', '10.1.0.11'), ...calico.owned(a, me));
    expect(await happens()).toEqual([`announce [10.1.0.11/32 10.1.0.12/32 ${a}]`]);
    expect(agent.status().wanted.map(({ nextHop }) => nextHop)).toEqual(['10.1.0.11', '10.1.0.12', '10.1.0.11']);
    await agent.stop();
    world.addresses = new Set(['10.1.0.33']);
    agent = make();
    agent.start();
    world.publish(...base, ...calico.owned(a, me));
    await happens();
    world.publish(...base.slice(1), ...calico.owned(b, 'other'));
    expect(await happens(60_000)).toEqual([]);
    expect(agent.status()).toMatchObject({ action: 'hold', reason: 'NodeUnknown' });
  });

  it('withdraws for a drain, confirmed, and announces again when it has expired', async () => {
    world.publish(...base, ...calico.owned(a, me));
    await happens();
    drainForAMinute();
    expect(await happens(5000)).toEqual(['announce [10.1.0.11/32] confirmed', `- ${a}`]);
    expect(await happens(70_000)).toEqual([`+ ${a}`, `announce [10.1.0.11/32 ${a}]`]);
  });

  it('announces no block whose blackhole the kernel refuses, and keeps trying', async () => {
    world.kernelFails = true;
    world.publish(...base, ...calico.owned(a, me));
    expect(await happens()).toEqual(['announce [10.1.0.11/32]']);
    expect(agent.status().refusals.map(({ reason }) => reason)).toEqual(['BlackholeMissing', 'KernelUnreadable']);
    world.kernelFails = false;
    expect(await happens(10_000)).toEqual([`+ ${a}`, `announce [10.1.0.11/32 ${a}]`]);
    expect(agent.status().refusals).toEqual([]);
  });

  it('asks for nothing new while the relay is syncing: what ExaBGP holds is not known then', async () => {
    world.publish(...base, ...calico.owned(a, me));
    await happens();
    world.kernel = [];
    const change = vi.spyOn(world, 'change').mockResolvedValue('RTNETLINK answers: File exists');
    expect(await happens(10_000)).toEqual([]);
    world.relay = 'syncing';
    const { announced } = world;
    world.announced = [];
    world.wake();
    expect(await happens()).toEqual([]);
    world.relay = 'synced';
    world.announced = announced;
    world.wake();
    expect(await happens()).toEqual([]);
    change.mockRestore();
    expect(await happens(10_000)).toEqual([`+ ${a}`]);
  });

  it('says when the newest spec is not in force', async () => {
    world.publish(...base, ...calico.owned(a, me));
    world.specProblem = 'sites.yaml:3: no';
    expect(await happens()).toHaveLength(2);
    const refusal = { subject: 'platform', reason: 'PlatformInvalid', message: 'sites.yaml:3: no' };
    expect(agent.status().refusals).toEqual([refusal]);
  });

  it('leaves all as it is when it stops, unless it is told to withdraw', async () => {
    world.publish(...base, ...calico.owned(a, me));
    await happens();
    const stopped = agent.stop({ timeoutMs: 10_000 });
    const did = await happens(5000);
    await stopped;
    expect(did).toEqual(['announce [] confirmed', `- ${a}`]);
    agent = make();
    agent.start();
    world.publish(...base, ...calico.owned(a, me));
    await happens();
    await agent.stop();
    expect(await happens(60_000)).toEqual([]);
    expect(world.announced).toHaveLength(2);
  });

  it('gives up waiting for a withdrawal that nobody acknowledges', async () => {
    world.publish(...base, ...calico.owned(a, me));
    await happens();
    world.acknowledges = false;
    const stopped = agent.stop({ timeoutMs: 3000 });
    const failed = expect(stopped).rejects.toThrow('not withdrawn within 3000 ms');
    await happens(4000);
    await failed;
    expect(world.kernel.map(({ text }) => text)).toEqual([a]);
  });
});
