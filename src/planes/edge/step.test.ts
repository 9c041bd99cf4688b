import { describe, expect, it } from 'vitest';
import { poolForTests } from '../../../test/support/edge-pool.ts';
import {
  calm,
  converged,
  drained,
  nginxForTests,
  peerAnswer,
  SteppingBlade,
  vip,
} from '../../../test/support/edge-view.ts';
import { parseAddress } from '../../model/address.ts';
import type { PeerVipView } from '../../model/status.ts';
import type { EdgeReason } from './reasons.ts';
import { routeOf } from './step/announce.ts';
import { notConverged, stateChanged, stateRead, tableFailed } from './step/convergence.ts';
import { noMemory } from './step/memory.ts';
import { mayStop } from './step/retirement.ts';
import type { BladeView } from './step/view.ts';
import { step } from './step.ts';

const works: PeerVipView = { fit: true, announced: true };
const formerly = [routeOf(calm, parseAddress(vip)!)];

/** What the peers answer about the VIP; undefined when none answers. */
type Peers = (() => PeerVipView) | undefined;

/**
 * Probes every quarter of a second for `ms`, as the agent does; the other blade is asked all the time, and answers
 * `peer`.
 */
function probeFor(blade: SteppingBlade, ms: number, peer?: Peers): void {
  const ask = (askedAtMs: number) =>
    peer === undefined ? [] : [peerAnswer('paris-blade-2', askedAtMs, { [vip]: peer() })];
  for (let passed = 0; passed < ms; passed += 250) {
    const { nowMs } = blade.view;
    blade.changeView({ peers: { ...blade.view.peers, answers: ask(nowMs - 1) } });
    if (blade.probe()) {
      blade.changeView({ peers: { answers: ask(nowMs), answeredMs: nowMs } });
      blade.step();
    }
    blade.wait(250);
  }
}

/** A blade that announces its VIP and is fit. */
function serving(change: Partial<BladeView> = {}): SteppingBlade {
  const blade = new SteppingBlade(change);
  probeFor(blade, 750);
  expect([blade.holds(), blade.published[0]?.fit]).toEqual([true, true]);
  return blade;
}

const silent = { probes: { number: 100, answers: new Map([[vip, undefined]]), tls: new Map() } };
const other = { probes: { number: 100, answers: new Map([[vip, 'another']]), tls: new Map() } };
const overTls = (instance: string | undefined) => ({
  probes: { number: 100, answers: new Map([[vip, 'first']]), tls: new Map([[vip, { instance, round: 1 }]]) },
});
const missing = { host: { ...calm.host, missing: new Map([[vip, 'no CAP_NET_ADMIN']]) } };
const stopping = { stoppingSinceMs: calm.nowMs + 750 };

/** What became of the VIP, and the reasons that `/status` gives. */
type Outcome = readonly ['announced' | 'withdrawn', ...(readonly EdgeReason[])];

describe('a blade that serves its VIP', () => {
  it.each<readonly [string, Partial<BladeView>, Peers, number, Outcome]>([
    ['all is well', {}, undefined, 1000, ['announced']],
    ['one round of probes in which nobody answers', silent, () => works, 250, ['announced']],
    ['nobody answers, and a peer has the VIP', silent, () => works, 500, ['withdrawn', 'ProbeFailed']],
    ['one round in which nobody answers over TLS', overTls(undefined), () => works, 250, ['announced']],
    [
      'nobody answers over TLS, and a peer has the VIP',
      overTls(undefined),
      () => works,
      500,
      ['withdrawn', 'TlsProbeFailed'],
    ],
    ['another nginx answers over TLS', overTls('another'), () => works, 500, ['withdrawn', 'TlsProbeFailed']],
    [
      'nobody answers over TLS, and no peer does',
      overTls(undefined),
      undefined,
      60_000,
      ['announced', 'TlsProbeFailed', 'LastAnnouncer'],
    ],
    ['TLS answers', overTls('first'), () => works, 1000, ['announced']],
    ['nobody answers, and no peer does', silent, undefined, 60_000, ['announced', 'ProbeFailed', 'LastAnnouncer']],
    [
      'a peer that is unfit as well',
      silent,
      () => ({ fit: false, announced: true }),
      60_000,
      ['announced', 'ProbeFailed', 'LastAnnouncer'],
    ],
    [
      'a peer that is fit without a session',
      silent,
      () => ({ fit: true, announced: false }),
      60_000,
      ['announced', 'ProbeFailed', 'LastAnnouncer'],
    ],
    ['an nginx of another start answers', other, () => works, 500, ['withdrawn', 'ProbeFailed']],
    ['nginx cannot be reached', { nginx: undefined }, () => works, 500, ['withdrawn', 'NginxUnreachable']],
    [
      'nginx started anew, without a table',
      { nginx: { ...nginxForTests, instance: 'second', generation: 0 } },
      () => works,
      500,
      ['withdrawn', 'TableNotAcknowledged'],
    ],
    [
      'nginx is behind for 10 s',
      { convergence: stateChanged(converged, calm.nowMs + 750) },
      () => works,
      10_000,
      ['announced'],
    ],
    [
      'nginx is behind for longer',
      { convergence: stateChanged(converged, calm.nowMs + 750) },
      () => works,
      11_000,
      ['withdrawn', 'TableNotAcknowledged'],
    ],
    [
      'nginx refused the newest table',
      { convergence: tableFailed(converged, 'no memory', nginxForTests) },
      () => works,
      20_000,
      ['announced'],
    ],
    ['the VIP is not on the host', missing, () => works, 500, ['withdrawn', 'VipAddressMissing']],
    ['drained, in its grace', { platform: drained }, () => works, 5000, ['announced', 'Draining']],
    ['drained, and a peer has the VIP', { platform: drained }, () => works, 5500, ['withdrawn', 'Draining']],
    [
      'drained, and nobody else has it',
      { platform: drained },
      undefined,
      60_000,
      ['announced', 'Draining', 'LastAnnouncer'],
    ],
    ['stopping, in its grace', stopping, () => works, 5000, ['announced', 'Stopping']],
    ['stopping, and a peer has the VIP', stopping, () => works, 5500, ['withdrawn', 'Stopping']],
    ['stopping, and nobody else has it', stopping, undefined, 60_000, ['announced', 'Stopping', 'LastAnnouncer']],
  ])('%s', (_, change, peer, forMs, [outcome, ...reasons]) => {
    const announced = outcome === 'announced';
    const blade = serving();
    blade.changeView(change);
    probeFor(blade, forMs, peer);
    expect(blade.holds()).toBe(announced);
    expect(blade.published[0]).toMatchObject({ fit: reasons.length === 0, announced, reasons });
  });
});

it('announces its VIPs again when the address of the blade changes, which is their next hop', () => {
  const blade = serving();
  const { pool } = blade.view;
  const moved = parseAddress('10.1.0.29')!;
  const blades = pool.spec.blades.map((entry) =>
    entry.name === 'paris-blade-1' ? { ...entry, address: moved } : entry,
  );
  blade.changeView({ pool: { ...pool, spec: { ...pool.spec, blades } } });
  blade.probe();
  expect(blade.announced.map(({ prefix, nextHop }) => [prefix.text, nextHop.text])).toEqual([
    [`${vip}/32`, '10.1.0.29'],
  ]);
  blade.probe();
  expect(blade.actions.announce).toBeUndefined();
});

describe('a blade whose agent has just started', () => {
  const starting = { speaker: { ...calm.speaker, announced: formerly } };

  it.each<readonly [string, Partial<BladeView>, Peers, number, boolean]>([
    ['announces what it is fit for after two rounds of probes', {}, undefined, 500, true],
    ['announces nothing after one', {}, undefined, 250, false],
    ['leaves what it finds announced for ten seconds', { ...starting, ...silent }, () => works, 10_000, true],
    ['then withdraws what a peer has', { ...starting, ...silent }, () => works, 11_500, false],
    ['and holds what nobody has', { ...starting, ...silent }, undefined, 60_000, true],
    [
      'withdraws nothing while it is not known what ExaBGP holds',
      { ...starting, ...silent, speaker: { ...starting.speaker, relay: 'syncing' } },
      () => works,
      60_000,
      true,
    ],
    ['does not announce what its blade gave up in a drain', { platform: drained }, () => works, 20_000, false],
    [
      'knows nothing of its cluster: it leaves what it finds',
      { ...starting, convergence: notConverged },
      () => works,
      10_000,
      true,
    ],
  ])('%s', (_, change, peer, forMs, announces) => {
    const blade = new SteppingBlade(change);
    probeFor(blade, forMs, peer);
    expect(blade.holds()).toBe(announces);
  });

  it('says that it is not fit before the first round of probes', () => {
    const blade = new SteppingBlade();
    blade.step();
    expect([blade.published, blade.actions]).toMatchObject([[], { ask: false, announce: undefined }]);
  });

  it('leaves nginx with the health of before for ten seconds while it knows nothing', () => {
    const blade = new SteppingBlade();
    expect(blade.step().actions.health).toBeUndefined();
    blade.wait(10_000);
    expect(blade.step().actions.health).toEqual([{ policy: 'video', healthy: true, reason: 'Unknown' }]);
  });
});

describe('the order of a withdrawal', () => {
  const peer = (askedAtMs: number) => peerAnswer('paris-blade-2', askedAtMs, { [vip]: works });

  it('publishes the unfitness in the step that asks, and decides nothing before the answers', () => {
    const blade = serving();
    blade.changeView({ ...silent, peers: { answers: [peer(blade.view.nowMs)], answeredMs: -Infinity } });
    blade.probe();
    blade.wait(250);
    expect(blade.probe()).toBe(true);
    expect(blade.published[0]).toMatchObject({ fit: false, announced: true, reasons: ['ProbeFailed'] });
    blade.wait(100);
    blade.step();
    expect([blade.holds(), blade.published[0]?.reasons]).toEqual([true, ['ProbeFailed']]);
    blade.changeView({ peers: { answers: [peer(blade.view.nowMs)], answeredMs: blade.view.nowMs } });
    blade.step();
    expect(blade.holds()).toBe(false);
  });

  it('counts no answer to a question that left before the unfitness was published', () => {
    const blade = serving();
    blade.changeView({ ...silent, peers: { answers: [peer(blade.view.nowMs + 249)], answeredMs: -Infinity } });
    blade.probe();
    blade.wait(250);
    expect(blade.probe()).toBe(true);
    blade.changeView({ peers: { ...blade.view.peers, answeredMs: blade.view.nowMs } });
    blade.step();
    expect([blade.holds(), blade.published[0]?.reasons]).toEqual([true, ['ProbeFailed', 'LastAnnouncer']]);
  });

  it.each([
    [3000, false],
    [3001, true],
  ])(
    'lets go by what a peer was asked %i ms ago: what is older than three seconds counts for nothing',
    (age, holds) => {
      const blade = serving();
      blade.changeView(silent);
      probeFor(blade, 1000);
      expect(blade.published[0]?.reasons).toEqual(['ProbeFailed', 'LastAnnouncer']);
      const askedAtMs = blade.view.nowMs;
      blade.wait(age);
      expect(blade.probe()).toBe(true);
      blade.changeView({ peers: { answers: [peer(askedAtMs)], answeredMs: blade.view.nowMs } });
      blade.step();
      expect(blade.holds()).toBe(holds);
    },
  );

  it('is not fit again before its next round of probes, when a drain ends while it asks', () => {
    const blade = serving();
    blade.changeView({ platform: drained });
    probeFor(blade, 5000);
    expect(blade.probe()).toBe(true);
    blade.changeView({ platform: calm.platform });
    blade.step();
    expect(blade.published[0]).toMatchObject({ fit: false, announced: true, reasons: [] });
    blade.changeView({ peers: { answers: [peer(blade.view.nowMs)], answeredMs: blade.view.nowMs } });
    blade.step();
    probeFor(blade, 250);
    expect(blade.published[0]).toMatchObject({ fit: true, announced: true });
  });

  it('asks at most once a second', () => {
    const blade = serving();
    blade.changeView(silent);
    const asked: number[] = [];
    for (let passed = 0; passed < 4000; passed += 250) {
      if (blade.probe()) asked.push(passed);
      blade.changeView({ peers: { answers: [], answeredMs: blade.view.nowMs } });
      blade.wait(250);
    }
    expect(asked).toEqual([250, 1250, 2250, 3250]);
  });

  it('judges a round of probes once, however often it steps', () => {
    const blade = serving();
    blade.changeView(silent);
    blade.probe();
    for (let again = 0; again < 10; again += 1) blade.step();
    expect(blade.published[0]?.fit).toBe(true);
  });
});

it('a blade that let go takes the VIP back when the others have been missing for half a lease', () => {
  const blade = serving();
  blade.changeView({ platform: drained });
  probeFor(blade, 8000, () => works);
  expect(blade.holds()).toBe(false);
  probeFor(blade, 2500);
  expect(blade.holds()).toBe(false);
  probeFor(blade, 250);
  expect([blade.holds(), blade.published[0]?.reasons]).toEqual([true, ['Draining', 'LastAnnouncer']]);
});

it('a blade that let go and cannot serve takes nothing back', () => {
  const blade = serving();
  blade.changeView(silent);
  probeFor(blade, 1000, () => works);
  probeFor(blade, 60_000);
  expect(blade.holds()).toBe(false);
});

it('each VIP is decided for itself', () => {
  const second = '192.0.2.11';
  const pool = poolForTests({ vips: [{ address: vip }, { address: second }] });
  const answers = new Map([
    [vip, 'first'],
    [second, 'first'],
  ]);
  const blade = new SteppingBlade({ pool, probes: { number: 0, answers, tls: new Map() } });
  probeFor(blade, 750);
  expect([blade.holds(vip), blade.holds(second)]).toEqual([true, true]);
  blade.changeView({ probes: { ...blade.view.probes, answers: new Map([[vip, 'first']]).set(second, 'another') } });
  probeFor(blade, 2000, () => works);
  expect([blade.holds(vip), blade.holds(second)]).toEqual([true, true]);
  expect(blade.published[1]?.reasons).toEqual(['ProbeFailed', 'LastAnnouncer']);
  blade.changeView({ pool: poolForTests() });
  probeFor(blade, 250);
  expect([blade.holds(vip), blade.holds(second)]).toEqual([true, false]);
});

describe('a planned stop', () => {
  it.each<readonly [string, Peers, number, boolean]>([
    ['waits out its grace', () => works, 4750, false],
    ['ends when the VIP is withdrawn', () => works, 5500, true],
    ['waits two seconds for another blade', undefined, 6750, false],
    ['ends with the VIP that nobody else has', undefined, 7500, true],
  ])('%s', (_, peer, forMs, ends) => {
    const blade = serving();
    blade.changeView({ stoppingSinceMs: blade.view.nowMs });
    probeFor(blade, forMs, peer);
    expect(mayStop(blade.view, blade.memory)).toBe(ends);
  });

  it('does not wait for ever for an ExaBGP that does not withdraw', () => {
    const blade = serving();
    blade.changeView({ stoppingSinceMs: blade.view.nowMs });
    probeFor(blade, 6000, () => works);
    blade.announced = formerly;
    expect(mayStop(blade.view, blade.memory)).toBe(false);
    blade.wait(4000);
    expect(mayStop(blade.view, blade.memory)).toBe(true);
  });
});

it('tells the log what changed, once', () => {
  const blade = serving();
  probeFor(blade, 1000);
  blade.changeView({ ...silent, platform: drained });
  probeFor(blade, 10_000);
  blade.changeView({ platform: calm.platform });
  probeFor(blade, 1000);
  expect(blade.news).toEqual([
    'fit for the VIP',
    'VIPs to announce changed',
    'drain begins',
    'not fit for the VIP',
    'unfit but the last announcer',
    'drain over',
  ]);
});

it('begins with the first sync of the cluster', () => {
  const blade = new SteppingBlade({ convergence: notConverged });
  probeFor(blade, 1000);
  expect(blade.published[0]).toMatchObject({ fit: false, reasons: ['NotSynced'] });
  const known = converged.known.phase === 'nothing' ? undefined : converged.known.state;
  blade.changeView({ convergence: stateRead(converged, 'snapshot', known!) });
  probeFor(blade, 500);
  expect(blade.holds()).toBe(true);
});

it('changes nothing that it was given', () => {
  const blade = serving();
  const before = structuredClone(blade.memory);
  step({ ...blade.view, probes: { number: 900, answers: new Map(), tls: new Map() } }, blade.memory);
  step(blade.view, noMemory);
  expect(structuredClone(blade.memory)).toEqual(before);
});
