import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { calico } from '../../../../test/support/network/calico.ts';
import { base, compile, me, paris, summary } from '../../../../test/support/network/compiled.ts';
import type { Manifest } from '../../../../test/support/source/conformance.ts';
import { contains } from '../../../model/address.ts';

const cidr = '10.10.1.0/26';
const nothing = (...refusals: string[]) => ({ pods: [], blackholes: [], refusals, notices: [] });

describe('compileNetwork', () => {
  it('announces confirmed blocks and the address of the server, with the server as the next hop', () => {
    const plan = compile([...base, ...calico.owned('10.10.5.64/26', me), ...calico.owned(cidr, me)]);
    expect(plan).toEqual({
      action: 'announce',
      routes: [
        expect.objectContaining({ class: 'server', because: 'address of server paris-worker-1' }),
        expect.objectContaining({ class: 'pods', because: 'block 10.10.1.0/26 of worker paris-worker-1' }),
        expect.objectContaining({ class: 'pods' }),
      ],
      covers: new Map([cidr, '10.10.5.64/26'].map((text) => [text, [expect.objectContaining({ text })]])),
      refusals: [],
      notices: [],
      beyond: [],
      brakes: [],
      banned: new Set(),
      disproved: new Set(),
    });
    if (plan.action !== 'announce') return;
    expect(plan.routes.map(({ prefix, nextHop }) => `${prefix.text} ${nextHop.text}`)).toEqual([
      '10.1.0.11/32 10.1.0.11',
      '10.10.1.0/26 10.1.0.11',
      '10.10.5.64/26 10.1.0.11',
    ]);
  });

  it.each<[string, readonly Manifest[], ReturnType<typeof nothing>]>([
    [
      'pending',
      [calico.affinity(cidr, me, { state: 'pending' }), calico.block(cidr, `host:${me}`, { 3: me })],
      nothing(`${cidr} AffinityPending`),
    ],
    [
      'in an unknown state',
      [calico.affinity(cidr, me, { state: '' }), calico.block(cidr, `host:${me}`)],
      nothing(`${cidr} AffinityStateUnknown`),
    ],
    [
      'deleted (v1)',
      [calico.affinity(cidr, me, { deleted: 'true' }), calico.block(cidr, `host:${me}`)],
      nothing(`${cidr} AffinityDeleted`),
    ],
    [
      'deleted (v3)',
      [calico.affinity(cidr, me, { deleted: true }), calico.block(cidr, `host:${me}`)],
      nothing(`${cidr} AffinityDeleted`),
    ],
    [
      'virtual',
      [calico.affinity(cidr, me, { type: 'virtual' }), calico.block(cidr, 'virtual:load-balancer', { 1: me })],
      nothing(`${cidr} AffinityVirtual`),
    ],
    ['without a block', [calico.affinity(cidr, me)], nothing(`${cidr} BlockMissing`)],
    [
      'whose block is deleted',
      [calico.affinity(cidr, me), calico.block(cidr, `host:${me}`, {}, { deleted: true })],
      nothing(`${cidr} BlockDeleted`),
    ],
    [
      'whose block is of nobody',
      [calico.affinity(cidr, me), calico.block(cidr, undefined)],
      nothing(`${cidr} BlockReleased`),
    ],
    [
      'claimed twice, the block being of another node',
      [...calico.owned(cidr, 'other'), calico.affinity(cidr, me)],
      nothing(`${cidr} BlockOfOtherNode`),
    ],
    ['of another node', calico.owned(cidr, 'other'), nothing()],
    [
      'outside the site',
      [calico.pool('10.99.0.0/16'), ...calico.owned('10.99.1.0/26', me)],
      nothing('10.99.1.0/26 PrefixOutsideSite'),
    ],
    [
      "inside another site's prefixes",
      [calico.pool('10.30.0.0/16'), ...calico.owned('10.30.1.0/26', me)],
      nothing('10.30.1.0/26 PrefixOutsideSite'),
    ],
    ['without a pool', calico.owned('10.11.1.0/26', me), nothing('10.11.1.0/26 PoolMissing')],
    ['of a size that no block has', calico.owned('10.10.0.0/19', me), nothing('10.10.0.0/19 BlockSizeMismatch')],
    ['without a prefix', [calico.affinity('10.10.1.1/26', me)], nothing(`BlockAffinity/${me}-10-10-1-1-26 BadPrefix`)],
    [
      'of a family without address',
      [calico.pool('2001:db8:10::/48'), ...calico.owned('2001:db8:10::40/122', me)],
      nothing('2001:db8:10::40/122 NoNextHop'),
    ],
  ])('does not announce a block %s', (_, objects, expected) => {
    expect(summary([...base, ...objects])).toEqual(expected);
  });

  it.each([
    ['block whose pool forbids export', { disableBGPExport: true }, {}, 'PoolNotExported'],
    ['block in use here whose pool forbids export', { disableBGPExport: true }, { 4: me }, 'PoolNotExported'],
    ['unused block whose pool is for load balancers', { allowedUses: ['LoadBalancer'] }, {}, 'PoolNotForWorkloads'],
  ])('does not announce a %s', (_, spec, inUse, reason) => {
    const objects = [calico.node(me, '10.1.0.11'), calico.pool('10.10.0.0/16', spec)];
    expect(summary([...objects, ...calico.owned(cidr, me, inUse)])).toEqual(nothing(`${cidr} ${reason}`));
    const refused = Object.keys(inUse).length > 0 ? [`${cidr} ${reason}`] : [];
    expect(summary([...objects, ...calico.owned(cidr, 'other', inUse)])).toEqual(nothing(...refused));
  });

  it('lets the smallest pool decide, and does not care whether it is disabled', () => {
    const pool = calico.pool('10.10.1.0/24', { disabled: true });
    expect(summary([...base, pool, ...calico.owned(cidr, me)])).toMatchObject({ pods: [cidr] });
  });

  it('makes host routes, each with a blackhole, of addresses in blocks it does not announce', () => {
    const borrowed = calico.owned('10.10.2.0/26', 'other', { 0: me, 1: 'other', 63: me });
    expect(summary([...base, ...borrowed])).toEqual({
      ...nothing(),
      pods: ['10.10.2.0/32', '10.10.2.63/32'],
      blackholes: ['10.10.2.0/32', '10.10.2.63/32'],
    });
    const releasing = [
      calico.affinity(cidr, me, { state: 'pendingDeletion' }),
      calico.block(cidr, undefined, { 7: me }),
    ];
    expect(summary([...base, ...releasing])).toEqual({
      ...nothing(`${cidr} AffinityReleasing`),
      pods: ['10.10.1.7/32'],
      blackholes: ['10.10.1.7/32'],
    });
    const cooling = calico.block(
      '10.10.3.0/26',
      undefined,
      {},
      {
        allocations: [0],
        attributes: [{ secondary: { node: me }, releasedAt: '2026-11-01T00:00:00Z' }],
      },
    );
    expect(summary([...base, cooling])).toEqual(nothing());
  });

  it('announces a block of one address with its blackhole, as any other block', () => {
    const objects = [calico.node(me, '10.1.0.11'), calico.pool('10.10.0.0/16', { blockSize: 32 })];
    expect(summary([...objects, ...calico.owned('10.10.1.9/32', me)])).toEqual({
      ...nothing(),
      pods: ['10.10.1.9/32'],
      blackholes: ['10.10.1.9/32'],
    });
  });

  it('speaks IPv6 with an IPv6 next hop', () => {
    const plan = compile([
      calico.node(me, '10.1.0.11 2001:db8::11'),
      calico.pool('2001:db8:10::/48'),
      ...calico.owned('2001:db8:10::40/122', me),
      ...calico.owned('2001:db8:10::80/122', 'other', { 5: me }),
    ]);
    expect(
      plan.action === 'announce' && plan.routes.map(({ prefix, nextHop }) => `${prefix.text} ${nextHop.text}`),
    ).toEqual([
      '10.1.0.11/32 10.1.0.11',
      '2001:db8::11/128 2001:db8::11',
      '2001:db8:10::40/122 2001:db8::11',
      '2001:db8:10::85/128 2001:db8::11',
    ]);
  });

  it('takes podCIDRs only when it is told to', () => {
    const objects = [
      calico.node(me, '10.1.0.11', { podCIDRs: ['10.10.7.0/24', '10.99.0.0/24', 'x'] }),
      calico.pool('10.10.0.0/16'),
    ];
    expect(summary(objects)).toEqual(nothing());
    expect(summary(objects, { podsFrom: 'podCIDRs' })).toEqual({
      ...nothing(),
      pods: ['10.10.7.0/24'],
      blackholes: ['10.10.7.0/24'],
      refusals: [`Node/${me} BadPrefix`, '10.99.0.0/24 PrefixOutsideSite'],
    });
  });

  it('takes no podCIDR that is a whole prefix of the site, or that overlaps the one of another Node', () => {
    const mine = (podCIDR: string) => [calico.node(me, '10.1.0.11', { podCIDRs: [podCIDR] })];
    const other = calico.node('other', '10.1.0.12', { podCIDRs: ['10.10.7.128/25'] });
    const podsFrom = 'podCIDRs' as const;
    expect(summary(mine('10.10.0.0/16'), { podsFrom })).toEqual(nothing('10.10.0.0/16 PrefixTooWide'));
    expect(summary([...mine('10.10.7.0/24'), other], { podsFrom })).toEqual(nothing('10.10.7.0/24 PrefixOverlaps'));
    expect(summary([...mine('10.10.8.0/24'), other], { podsFrom })).toMatchObject({ pods: ['10.10.8.0/24'] });
  });

  it('holds when it cannot see nodes, or its own address', () => {
    expect(summary([calico.pool('10.10.0.0/16'), ...calico.owned(cidr, me)])).toEqual({ hold: 'NodesMissing' });
    expect(summary([calico.node(me, '192.168.0.1'), ...calico.owned(cidr, me)])).toEqual({
      hold: 'NodeAddressMissing',
    });
  });

  it('holds a node it never saw: a wrong name is no deletion', () => {
    const others = [calico.node('other', '10.1.0.12'), calico.pool('10.10.0.0/16'), ...calico.owned(cidr, me)];
    expect(summary(others, { nodeSeen: false })).toEqual({ hold: 'NodeUnknown' });
  });

  it('holds when no pool and no block at all can be seen; one pool less, or the last one, is an edit', () => {
    const node = calico.node(me, '10.1.0.11');
    const objects = [node, ...calico.owned(cidr, me)];
    expect(summary([node, calico.affinity(cidr, me)])).toEqual({ hold: 'PoolsMissing' });
    expect(compile([node], { podsFrom: 'podCIDRs' }).action).toBe('announce');
    expect(compile([node], { drained: 'when empty' }).action).toBe('announce');
    expect(summary(objects)).toEqual(nothing(`${cidr} PoolMissing`));
    expect(summary([...objects, calico.pool('10.77.0.0/16')])).toEqual(nothing(`${cidr} PoolMissing`));
  });

  it('takes the blocks of others as proof that the cluster is visible: its own Node, the only one it follows, was deleted', () => {
    const others = [calico.pool('10.10.0.0/16'), ...calico.owned('10.10.2.0/26', 'other')];
    expect(compile(others)).toMatchObject({ action: 'announce', routes: [], withdrawn: 'NodeDeleted' });
    expect(summary(others, { nodeSeen: false })).toEqual({ hold: 'NodeUnknown' });
  });

  it('withdraws everything of a deleted node, and the pods of a drained one', () => {
    const others = [calico.node('other', '10.1.0.12'), calico.pool('10.10.0.0/16'), ...calico.owned(cidr, me)];
    expect(compile(others)).toMatchObject({
      action: 'announce',
      routes: [],
      covers: new Map(),
      withdrawn: 'NodeDeleted',
    });
    expect(compile([...base, ...calico.owned(cidr, me)], { drained: 'when empty' })).toMatchObject({
      routes: [{ class: 'server' }],
      covers: new Map(),
      withdrawn: 'NodeDrained',
    });
  });

  const pod = (name: string, change: Partial<Manifest> = {}): Manifest => ({
    spec: { nodeName: me },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
    ...change,
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'shop', ...change.metadata, name },
  });
  const owned = (kind: string) => ({ metadata: { name: '', ownerReferences: [{ kind, controller: true }] } });

  it.each<[string, Manifest, boolean]>([
    ['Ready', pod('web'), true],
    ['of a ReplicaSet', pod('web', owned('ReplicaSet')), true],
    ['not Ready', pod('web', { status: { conditions: [{ type: 'Ready', status: 'False' }] } }), false],
    ['without conditions', pod('web', { status: {} }), true],
    ['without a status', pod('web', { status: undefined }), true],
    [
      'without a condition Ready',
      pod('web', { status: { conditions: [{ type: 'Initialized', status: 'True' }] } }),
      true,
    ],
    ['of which Ready is unknown', pod('web', { status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } }), true],
    ['that has succeeded', pod('job', { status: { phase: 'Succeeded' } }), false],
    ['that has failed', pod('job', { status: { phase: 'Failed' } }), false],
    ['of another node', pod('web', { spec: { nodeName: 'other' } }), false],
    ['on the network of the host', pod('web', { spec: { nodeName: me, hostNetwork: true } }), false],
    ['of a DaemonSet', pod('log', owned('DaemonSet')), false],
  ])('lets a Drain wait for pods: one %s', (_, one, waits) => {
    const objects = [...base, ...calico.owned(cidr, me), one];
    const plan = compile(objects, { drained: 'when empty' });
    if (waits) expect(plan).toMatchObject({ routes: [{}, { class: 'pods' }], notices: [{ reason: 'DrainWaits' }] });
    else expect(plan).toMatchObject({ routes: [{ class: 'server' }], withdrawn: 'NodeDrained', notices: [] });
    expect(compile(objects, { drained: 'at once' })).toMatchObject({ withdrawn: 'NodeDrained' });
  });

  it('says which pods a Drain waits for, and of which nothing says whether they are Ready', () => {
    const cut = ['a', 'b', 'c', 'd'].map((name) => pod(name, { status: { phase: 'Running' } }));
    const plan = compile([...base, ...calico.owned(cidr, me), pod('web'), ...cut], { drained: 'when empty' });
    const message =
      'a Drain waits for 1 Ready pod: shop/web and 4 pods without a known Ready condition: shop/a, shop/b, shop/c and 1 more';
    expect(plan).toMatchObject({ notices: [{ reason: 'DrainWaits', message }] });
  });

  it('never announces anything outside the site, whatever the cluster says', () => {
    const third = fc.integer({ min: 0, max: 3 });
    const objects = fc.array(
      fc.record({
        net: fc.constantFrom('10.10', '10.99', '10.1', '0.0', '10.30'),
        third,
        length: fc.constantFrom(0, 8, 24, 26, 32),
        node: fc.constantFrom(me, 'other'),
        state: fc.constantFrom('confirmed', 'pending', 'pendingDeletion'),
        owner: fc.constantFrom(`host:${me}`, 'host:other', undefined),
        inUse: fc.dictionary(fc.constantFrom('0', '7', '63'), fc.constantFrom(me, 'other')),
      }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(objects, (items) => {
        const raw = items.flatMap(({ net, third: byte, length, node, state, owner, inUse }) => {
          const text = length < 16 ? `0.0.0.0/${length}` : `${net}.${byte}.0/${length}`;
          return [calico.affinity(text, node, { state }), calico.block(text, owner, inUse)];
        });
        const pools = ['10.10.0.0/16', '10.99.0.0/16', '0.0.0.0/0'].map((text) => calico.pool(text));
        const plan = compile([calico.node(me, '10.1.0.11'), ...pools, ...raw]);
        if (plan.action !== 'announce') throw new Error(plan.reason);
        const texts = plan.routes.map(({ prefix }) => prefix.text);
        expect(new Set(texts).size).toBe(texts.length);
        for (const { prefix, class: kind } of plan.routes) {
          const allowed = kind === 'pods' ? paris.spec.prefixes.pods : paris.spec.prefixes.servers;
          expect(allowed.some((outer) => contains(outer, prefix))).toBe(true);
        }
      }),
    );
  });
});
