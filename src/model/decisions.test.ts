import { describe, expect, it } from 'vitest';
import { decisionsSince, type Remembered } from './decisions.ts';
import type { EdgeStatus, NetworkStatus } from './status.ts';

const host = {
  statusVersion: 1,
  cluster: 'paris',
  startedAtMs: 0,
  platform: { phase: 'current' as const },
  doubts: [],
  accepted: [],
};
const up = { address: '10.1.0.1', asn: 65_000, up: true };
const vip = { address: '192.0.2.10', fit: true, reasons: [], announced: true };
const edge: EdgeStatus = {
  ...host,
  agent: 'edge',
  blade: 'paris-blade-1',
  pool: 'paris-edge',
  source: { phase: 'live', servingSnapshot: false },
  generation: 7,
  vips: [vip],
  vipsMissing: {},
  bgp: { relay: 'synced', neighbors: [up], refusals: [] },
  peers: [],
  draining: false,
  policies: [],
  conditions: { accepted: 1, partial: 0, refused: 0 },
  refused: [],
};
const route = (prefix: string) => ({
  prefix,
  nextHop: '10.1.0.11',
  class: 'pods',
  because: `BlockAffinity of ${prefix}`,
});
const network: NetworkStatus = {
  ...host,
  agent: 'network',
  node: 'paris-worker-1',
  source: { phase: 'live', servingSnapshot: false },
  action: 'announce',
  wanted: [],
  announced: [route('10.10.1.0/26')],
  refusals: [],
  blackholes: { wanted: [], installed: [] },
  relay: 'synced',
  neighbors: [up],
};

/** What is said of each status after the first, as text. */
function follow(...statuses: readonly (EdgeStatus | NetworkStatus)[]): readonly string[] {
  let before: Remembered | undefined;
  return statuses.flatMap((status, at) => {
    const { decisions, remembered } = decisionsSince(before, status, at * 1000);
    before = remembered;
    return decisions
      .filter(({ what }) => what !== 'AgentStarted')
      .map(({ what, subject, why, by }) => `${what} ${subject}: ${why ?? ''}${by === undefined ? '' : ` by ${by}`}`);
  });
}

describe('what an agent decided', () => {
  it('is nothing while nothing changes, and at the start only that it started', () => {
    expect(follow(edge, edge, edge)).toEqual([]);
    expect(decisionsSince(undefined, edge, 5).decisions).toEqual([
      { atMs: 5, what: 'AgentStarted', subject: 'blade paris-blade-1', inputs: 'spec current, cluster live, table 7' },
    ]);
  });

  it.each<[string, EdgeStatus | NetworkStatus, EdgeStatus | NetworkStatus, string, string]>([
    [
      'a VIP',
      edge,
      { ...edge, vips: [{ ...vip, announced: false, fit: false, reasons: ['ProbeFailed'] }] },
      'VipWithdrawn VIP 192.0.2.10: ProbeFailed',
      'VipAnnounced VIP 192.0.2.10: ',
    ],
    [
      'a VIP that left its pool',
      edge,
      { ...edge, vips: [] },
      'VipWithdrawn VIP 192.0.2.10: the pool has it no longer',
      'VipAnnounced VIP 192.0.2.10: ',
    ],
    [
      'a session',
      edge,
      { ...edge, bgp: { ...edge.bgp, neighbors: [{ ...up, up: false, reason: 'Hold timer expired' }] } },
      'SessionDown session 10.1.0.1: Hold timer expired',
      'SessionUp session 10.1.0.1: ',
    ],
    [
      'a route',
      network,
      { ...network, announced: [], refusals: [{ subject: '10.10.1.0/26', reason: 'PoolNotExported', message: '' }] },
      'RouteWithdrawn route 10.10.1.0/26: PoolNotExported',
      'RouteAnnounced route 10.10.1.0/26: BlockAffinity of 10.10.1.0/26',
    ],
    [
      'the source',
      edge,
      { ...edge, source: { ...edge.source, phase: 'stale', reason: 'SourceUnreachable', message: 'no answer' } },
      'SourceStale cluster paris: SourceUnreachable: no answer',
      'SourceLive cluster paris: ',
    ],
    [
      'a Drain',
      edge,
      { ...edge, draining: true, drain: { name: 'd', reason: 'disks', expires: '2027-01-01T00:00:00Z' } },
      'DrainBegan blade paris-blade-1: Drain/d: disks',
      'DrainEnded blade paris-blade-1: it has ended, or was removed',
    ],
    [
      'a table',
      edge,
      { ...edge, tableRefused: 'no memory' },
      'TableRefused table: no memory',
      'TableTaken table: nginx took a newer one',
    ],
    [
      'a Freeze',
      edge,
      { ...edge, frozen: { reason: 'flapping', by: 'anna', since: '2026-11-27T00:00:00Z' } },
      'FreezeBegan platform: flapping by anna',
      'FreezeEnded platform: it was thawed, or its time is over',
    ],
    [
      'the spec',
      network,
      { ...network, platform: { phase: 'invalid', message: 'kind: Nonsense' } },
      'SpecRefused platform spec: kind: Nonsense',
      'SpecTaken platform spec: ',
    ],
  ])('is what becomes of %s, and why', (_, before, after, said, back) => {
    expect(follow(before, after, after, before)).toEqual([said, back]);
  });

  it('is a doubt with what it was ended by', () => {
    const doubt = {
      reason: 'SourceImplausible',
      message: '5 of 6',
      objects: [],
      count: 5,
      sinceMs: 0,
      fingerprint: 'f',
    };
    const accepted = [{ fingerprint: 'f', atMs: 1500, by: 'anna' }];
    expect(follow(edge, { ...edge, doubts: [doubt] }, { ...edge, accepted })).toEqual([
      'DoubtBegan f: 5 of 6 (SourceImplausible)',
      'DoubtEnded f: accepted by anna',
      'Accepted f:  by anna',
    ]);
    expect(follow({ ...edge, doubts: [doubt] }, edge)).toEqual([
      'DoubtBegan f: 5 of 6 (SourceImplausible)',
      'DoubtEnded f: there is nothing to doubt any more, or something else',
    ]);
  });

  it('is not what an agent learns about ExaBGP at its start, nor what it cannot see for a while', () => {
    const away: NetworkStatus = { ...network, relay: 'disconnected', announced: [], neighbors: [] };
    expect(follow(away, network, away, network)).toEqual([]);
  });

  it('is bounded in number and length for each moment', () => {
    const many = Array.from({ length: 1000 }, (_, at) => route(`10.${at >> 8}.${at & 255}.0/26`));
    const said = follow(network, { ...network, announced: [...network.announced, ...many] });
    expect([said.length, said.at(-1)]).toEqual([51, 'MoreChanged 950 more: RouteAnnounced']);
    const [long] = follow(edge, { ...edge, tableRefused: 'x'.repeat(10_000) });
    expect(long?.length).toBeLessThan(400);
  });
});
