import { describe, expect, it } from 'vitest';
import { calico } from '../../../../test/support/network/calico.ts';
import { base, compile, me, summary } from '../../../../test/support/network/compiled.ts';
import type { Manifest } from '../../../../test/support/source/conformance.ts';

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
const announced = { pods: [a, host], blackholes: [a], refusals: [] };

describe('an edit of a pool', () => {
  it.each<[string, readonly Manifest[], string]>([
    ['is deleted', [elsewhere], 'PoolMissing'],
    [
      'serves load balancers now',
      [calico.pool('10.10.0.0/16', { allowedUses: ['LoadBalancer'] })],
      'PoolNotForWorkloads',
    ],
  ])('leaves what was announced when the pool %s, with a notice, and adds nothing', (_, pools, reason) => {
    const objects = [node, ...pools, ...mine, ...borrowed];
    expect(summary(objects, { kept })).toEqual({ ...announced, notices: [`${a} ${reason}`, `${b} ${reason}`] });
    expect(summary(objects)).toMatchObject({ pods: [], refusals: [`${a} ${reason}`, `${b} ${reason}`], notices: [] });
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
    const pool = 'pool-10-10-0-0-16';
    const objects = cluster(0);
    expect(compile(objects, { kept })).toMatchObject({
      routes: [{ class: 'server' }, { prefix: { text: a } }],
      notices: [{ subject: a, reason: 'ExportBanWaits', message: expect.stringContaining('1 of the 1 blocks') }],
      brakes: [{ pool, lost: 1, all: 1 }],
      disproved: new Set(),
    });
    expect(compile(objects, { kept, brakesOver: new Set([pool]) })).toMatchObject({
      routes: [{ class: 'server' }],
      refusals: [{ reason: 'PoolNotExported' }],
      brakes: [{ pool }],
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
