import { describe, expect, it } from 'vitest';
import type { Route } from '../../../bgp/route.ts';
import type { SpeakerStatus } from '../../../bgp/speaker.ts';
import { type Address, type Prefix, parseAddress, parsePrefix } from '../../../model/address.ts';
import { blackholesOf, type NetworkPlan, nothingAnnounced } from '../plan.ts';
import { fromLastGood, runsOut } from './without-cluster.ts';

const prefix = (text: string): Prefix => parsePrefix(text) ?? expect.unreachable(text);
const nextHop: Address = parseAddress('10.1.0.11') ?? expect.unreachable();
const route = (text: string, kind: Route['class'] = 'pods'): Route => ({
  prefix: prefix(text),
  nextHop,
  class: kind,
  because: 'test',
});
const [a, b] = ['10.10.1.0/26', '10.10.2.0/26'] as const;
const plan = { ...nothingAnnounced, routes: [route(a)], covers: new Map([[a, [prefix(a)]]]) } satisfies NetworkPlan;

describe('the last-good state', () => {
  it('adds, and takes nothing away', () => {
    const held = { announced: [route(b), route('192.0.2.1/32', 'vip')], installed: [prefix(b)] };
    const result = fromLastGood(plan, held, 'noon');
    if (result.action !== 'announce') throw new Error(result.reason);
    expect(result.routes.map((one) => one.prefix.text)).toEqual([a, b]);
    expect(blackholesOf(result).map(({ text }) => text)).toEqual([a, b]);
    expect(result.notices).toEqual([
      { subject: 'cluster', reason: 'ServingSnapshot', message: expect.stringContaining('known at noon') },
    ]);
  });

  it('obeys a Drain, which is no word of the cluster, and proves no deletion of the Node', () => {
    const held = { announced: [route(b)], installed: [prefix(b)] };
    const drained = { ...nothingAnnounced, withdrawn: 'NodeDrained' } as const;
    expect(fromLastGood(drained, held, 'noon')).toBe(drained);
    const deleted = { ...nothingAnnounced, withdrawn: 'NodeDeleted' } as const;
    expect(fromLastGood(deleted, held, 'noon')).toMatchObject({ action: 'hold', reason: 'NotSynced' });
  });
});

describe('what runs out', () => {
  const speaker = (more: Partial<SpeakerStatus>): SpeakerStatus => ({
    relay: 'synced',
    neighbors: [{ address: '10.1.0.1', asn: 65010, up: true, changedAtMs: 1000 }],
    announced: [route('10.1.0.11/32', 'server')],
    refusals: [],
    ...more,
  });

  it('is counted down from the moment the session came up', () => {
    expect(runsOut(speaker({}), [prefix(a)], 61_000)).toMatchObject({
      reason: 'RoutesRunOut',
      message: expect.stringContaining('FRR in 300 s'),
    });
    expect(runsOut(speaker({}), [prefix(a)], 999_000)?.message).toContain('FRR in 0 s');
  });

  it.each<[string, Partial<SpeakerStatus>, readonly Prefix[]]>([
    ['no block was ever ours', {}, []],
    ['ExaBGP holds them', { announced: [route(a)] }, [prefix(a)]],
    ['nothing is known of ExaBGP', { relay: 'syncing' }, [prefix(a)]],
    ['no session is up', { neighbors: [{ address: '10.1.0.1', asn: 65010, up: false, changedAtMs: 1 }] }, [prefix(a)]],
  ])('is nothing while %s', (_, more, installed) => {
    expect(runsOut(speaker(more), installed, 61_000)).toBeUndefined();
  });
});
