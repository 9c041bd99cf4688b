import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { calico } from '../../../../test/support/network/calico.ts';
import { base, compile, me, summary } from '../../../../test/support/network/compiled.ts';
import type { Manifest } from '../../../../test/support/source/conformance.ts';
import { contains, hostPrefix, parseAddress } from '../../../model/address.ts';

const a = '10.10.1.0/26';
const b = '10.10.2.0/26';
const host = '10.10.2.4/32';
const node = calico.node(me, '10.1.0.11');
const elsewhere = calico.pool('10.77.0.0/16');
const mine = calico.owned(a, me);
const borrowed = calico.owned(b, 'other', { 4: me });
const kept = new Set([a, host]);
/** A cluster that announces this many blocks beside our one. */
const others = (count: number): readonly Manifest[] =>
  Array.from({ length: count }, (_, index) => calico.owned(`10.20.${index}.0/26`, 'other')).flat();
const announced = { pods: [a, host], blackholes: [a, host], refusals: [] };

describe('an edit of a pool', () => {
  it.each<[string, readonly Manifest[], string]>([
    ['is deleted', [elsewhere], 'PoolMissing'],
    [
      'serves load balancers now',
      [calico.pool('10.10.0.0/16', { allowedUses: ['LoadBalancer'] })],
      'PoolNotForWorkloads',
    ],
  ])('leaves what was announced, or is in use here, when the pool %s, and adds nothing else', (_, pools, reason) => {
    const objects = [node, ...pools, ...mine, ...borrowed];
    const notices = [`${a} ${reason}`, `${b} ${reason}`];
    expect(summary(objects, { kept })).toEqual({ ...announced, notices });
    expect(summary(objects)).toMatchObject({
      pods: [host],
      blackholes: [host],
      refusals: [`${a} ${reason}`],
      notices: [`${b} ${reason}`],
    });
    const used = [node, ...pools, ...calico.owned(a, me, { 3: me }), ...borrowed];
    expect(summary(used)).toEqual({ ...announced, notices });
    const byOthers = [node, ...pools, ...calico.owned(a, me, { 3: 'other' })];
    expect(summary(byOthers)).toMatchObject({ pods: [], refusals: [`${a} ${reason}`] });
    const releasedAt = '2026-11-01T00:00:00Z';
    const cooling = calico.block(a, `host:${me}`, {}, { attributes: [{ secondary: { node: me }, releasedAt }] });
    expect(summary([node, ...pools, calico.affinity(a, me), cooling])).toMatchObject({ pods: [] });
  });

  it('announces what is in use here when the only pool is deleted, and holds while no block can be seen either', () => {
    const used = calico.owned(a, me, { 3: me });
    expect(summary([node, ...used, ...borrowed])).toMatchObject({ ...announced, refusals: [] });
    expect(summary([node, ...mine])).toMatchObject({ pods: [], refusals: [`${a} PoolMissing`] });
    expect(summary([node, calico.affinity(a, me)], { kept })).toEqual({ hold: 'PoolsMissing' });
    // Evidence is not loss, pool or not.
    const moved = compile([node, ...calico.owned(a, 'other')], { kept });
    expect(moved).toMatchObject({ routes: [{ class: 'server' }], disproved: new Set([a]) });
  });

  it('does not take the deletion of a pool for the end of its ban', () => {
    const used = [node, ...calico.owned(a, me, { 3: me }), ...borrowed];
    const before = compile([...used, calico.pool('10.10.0.0/16', { disableBGPExport: true })]);
    expect(before).toMatchObject({ action: 'announce', banned: new Set([a, b]) });
    const { banned = new Set<string>() } = before.action === 'announce' ? before : {};
    const after = compile([...used, elsewhere], { banned });
    expect(after).toMatchObject({
      routes: [{ class: 'server' }],
      refusals: [{ reason: 'PoolMissing', message: expect.stringContaining('forbade') }, { reason: 'PoolMissing' }],
      banned: new Set([a, b]),
    });
    expect(compile([...used, ...base], { banned })).toMatchObject({ banned: new Set() });
  });

  it('never loses what pods of this worker use, unless a pool that is there forbids it', () => {
    const pools = fc.subarray([
      calico.pool('10.10.0.0/16', { disableBGPExport: true }),
      calico.pool('10.10.0.0/20'),
      calico.pool('10.10.1.0/24', { allowedUses: ['LoadBalancer'] }),
      calico.pool('10.10.2.0/24', { disableBGPExport: true }),
      calico.pool('10.10.1.0/25', { blockSize: 28 }),
      elsewhere,
    ]);
    const users = fc.dictionary(fc.constantFrom('0', '7', '63'), fc.constantFrom(me, 'other'));
    const owner = fc.constantFrom(me, 'other');
    const block = fc.record({ third: fc.integer({ min: 1, max: 4 }), owner, users });
    const input = fc.record({ pools, blocks: fc.uniqueArray(block, { selector: ({ third }) => third }) });
    fc.assert(
      fc.property(input, (given) => {
        const cidrOf = ({ third }: { readonly third: number }) => `10.10.${third}.0/26`;
        const objects = given.blocks.flatMap((one) => calico.owned(cidrOf(one), one.owner, one.users));
        const plan = compile([node, ...given.pools, ...objects, ...calico.owned('10.10.9.0/26', 'other')]);
        if (plan.action !== 'announce') throw new Error(plan.reason);
        const routes = plan.routes.filter((route) => route.class === 'pods').map(({ prefix }) => prefix);
        const forbidden = new Set(
          plan.refusals.filter(({ reason }) => reason === 'PoolNotExported').map(({ subject }) => subject),
        );
        for (const one of given.blocks)
          for (const [index, user] of Object.entries(one.users)) {
            if (user !== me) continue;
            const address = hostPrefix(parseAddress(`10.10.${one.third}.${index}`)!);
            const reached = routes.some((route) => contains(route, address));
            expect(reached).toBe(!forbidden.has(cidrOf(one)));
          }
      }),
    );
  });

  it.each<[string, readonly Manifest[]]>([
    ['gets another block size', [calico.pool('10.10.0.0/16', { blockSize: 28 })]],
    ['gets an inner pool of another block size', [...base, calico.pool('10.10.0.0/18', { blockSize: 29 })]],
  ])('announces the blocks that are there, old or new, when the pool %s', (_, pools) => {
    const reason = 'BlockSizeMismatch';
    for (const before of [kept, new Set<string>()])
      expect(summary([node, ...pools, ...mine, ...borrowed], { kept: before })).toEqual({
        ...announced,
        notices: [`${a} ${reason}`, `${b} ${reason}`],
      });
  });

  it('hands a block that is released on to its host routes, though its pool is gone', () => {
    const released = [calico.affinity(a, me, { state: 'pendingDeletion' }), calico.block(a, undefined, { 7: me })];
    expect(summary([node, elsewhere, ...released], { kept: new Set([a]) })).toMatchObject({ pods: ['10.10.1.7/32'] });
  });

  it('names a block once, when it and addresses in it are refused for one reason', () => {
    const objects = [node, calico.pool('10.10.0.0/16', { disableBGPExport: true }), ...calico.owned(a, me, { 3: me })];
    expect(summary(objects)).toMatchObject({ refusals: [`${a} PoolNotExported`] });
  });
});

describe('a ban of export', () => {
  const banned = calico.pool('10.10.0.0/16', { disableBGPExport: true });
  const exported = calico.pool('10.20.0.0/16');
  const cluster = (count: number): readonly Manifest[] => [node, banned, exported, ...mine, ...others(count)];

  it('is obeyed at once when the cluster keeps at least half of what it announces', () => {
    const plan = compile(cluster(1), { kept });
    expect(plan).toMatchObject({
      routes: [{ class: 'server' }],
      refusals: [{ reason: 'PoolNotExported' }],
      brakes: [],
    });
    expect(plan.action === 'announce' && [...plan.disproved]).toEqual([a]);
  });

  it('is braked when most of what the cluster announces would go, and obeyed when the brake is over', () => {
    const cause = 'IPPool pool-10-10-0-0-16';
    const objects = cluster(0);
    expect(compile(objects, { kept })).toMatchObject({
      routes: [{ class: 'server' }, { prefix: { text: a } }],
      notices: [{ subject: a, reason: 'ExportBanWaits', message: expect.stringContaining('1 of the 1 blocks') }],
      brakes: [{ cause, lost: 1, all: 1 }],
      disproved: new Set(),
    });
    expect(compile(objects, { kept, brakesOver: new Set([cause]) })).toMatchObject({
      routes: [{ class: 'server' }],
      refusals: [{ reason: 'PoolNotExported' }],
      brakes: [{ cause }],
      disproved: new Set([a]),
    });
  });

  it('does not count blocks of pools that were never exported as kept', () => {
    const overlay = [calico.pool('10.20.0.0/16', { disableBGPExport: true })];
    expect(summary([node, banned, ...overlay, ...mine, ...others(9)], { kept })).toMatchObject({ pods: [a] });
  });

  it('announces nothing of a pool that was banned all along', () => {
    expect(summary(cluster(0))).toMatchObject({ pods: [], refusals: [`${a} PoolNotExported`] });
  });
});

describe('evidence', () => {
  it('is a block that another node has by now, whether the affinity of this one is still there or not', () => {
    for (const stale of [[], [calico.affinity(a, me)]]) {
      const plan = compile([...base, ...stale, ...calico.owned(a, 'other')], { kept: new Set([a, b]) });
      expect(plan.action === 'announce' && [...plan.disproved]).toEqual([a]);
    }
  });

  it('is no block that is of nobody, deleted, or not seen', () => {
    for (const block of [calico.block(a, undefined), calico.block(a, 'host:other', {}, { deleted: true })])
      expect(compile([...base, block], { kept: new Set([a, b]) })).toMatchObject({ disproved: new Set() });
  });
});

it('takes the same one of two IPAMBlocks of one prefix on every node, and says so', () => {
  const real = calico.block(a, `host:${me}`);
  const stray = (name: string) => ({ ...calico.block(a, 'host:other'), metadata: { name } });
  for (const blocks of [
    [real, stray('a')],
    [stray('z'), real],
  ])
    expect(summary([...base, calico.affinity(a, me), ...blocks])).toMatchObject({
      pods: [a],
      notices: [`${a} BlockDuplicated`],
    });
});
