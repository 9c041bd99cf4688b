import { expect, it } from 'vitest';
import { blade, silent, takenAtMs, worker } from '../../test/support/snapshot.ts';
import type { AgentDoubt } from './doubt-fields.ts';
import { doneByThaw, doubtsOf, firstLines } from './doubts.ts';
import { findingsOf } from './findings.ts';
import type { Snapshot } from './snapshot.ts';
import { renderStatus } from './text.ts';

const vanished: AgentDoubt = {
  reason: 'SourceImplausible',
  message: '5 of 6 Ingress objects are missing; they stay in force',
  objects: ['Ingress/video/web'],
  count: 5,
  sinceMs: takenAtMs - 60_000,
  former: [],
  fingerprint: '0123456789ab',
  acceptFile: '/var/lib/tideline/edge/accept-edge-paris',
};
const stale = { phase: 'stale' as const, sinceMs: takenAtMs, reason: 'SourceImplausible', message: 'x' };
const snapshot = (...agents: Snapshot['agents']): Snapshot => ({
  takenAtMs,
  clusters: [{ name: 'paris' }],
  pools: [{ name: 'paris-edge', cluster: 'paris', vips: ['192.0.2.10'] }],
  agents,
  drains: [],
});
const doubting = (...doubts: AgentDoubt[]) =>
  snapshot(
    blade('paris-blade-1', { source: stale, doubts }),
    blade('paris-blade-2', { source: stale, doubts: doubts.map((one) => ({ ...one, sinceMs: one.sinceMs + 5000 })) }),
    worker('paris-worker-1'),
  );

it('are one for all servers of a cluster, as old as the oldest', () => {
  expect(doubtsOf(doubting(vanished))).toMatchObject([
    { cluster: 'paris', servers: ['paris-blade-1', 'paris-blade-2'], sinceMs: takenAtMs - 60_000 },
  ]);
});

it('are the first sentence of status, and have the command that accepts them below it', () => {
  const [first = '', second] = renderStatus(doubting(vanished));
  expect(first).toContain('FAULT: cluster paris is in doubt: 5 of 6 Ingress objects are missing');
  expect(first.length).toBeLessThanOrEqual(160);
  expect(second).toContain('if it is meant: tideline accept 0123456789ab on each of paris-blade-1, paris-blade-2');
  expect(findingsOf(doubting(vanished)).filter(({ subject }) => subject === 'cluster paris')).toHaveLength(1);
});

const leaving: AgentDoubt = {
  ...vanished,
  reason: 'PoolEditWaits',
  message: 'VIP 192.0.2.10 left pool paris-edge by an edit; it stays announced',
  objects: ['VIP 192.0.2.10'],
  count: 1,
  sinceMs: takenAtMs - 10_000,
  untilMs: takenAtMs + 510_000,
  waitsMs: 600_000,
  undo: 'put 192.0.2.10 back into EdgePool paris-edge',
  fingerprint: '192.0.2.10',
};

it('are first where they have a deadline, and say when it is, what takes the edit back, and how it is accepted', () => {
  const unfit = { address: '192.0.2.10', fit: false, announced: true, reasons: ['NginxGone'] };
  const parts = doubting(vanished, leaving).agents.map((part) =>
    'edge' in part ? { ...part, edge: { ...part.edge, vips: [unfit] } } : part,
  );
  const [first, second] = renderStatus({ ...doubting(), agents: parts });
  expect(first).toContain(
    'FAULT: cluster paris is in doubt: VIP 192.0.2.10 left pool paris-edge by an edit; it stays announced (PoolEditWaits); ',
  );
  expect(second).toContain(
    'cluster paris is in doubt: VIP 192.0.2.10 left pool paris-edge by an edit; it stays announced (PoolEditWaits); ' +
      'the VIP is withdrawn at 2026-11-27T14:11:21Z, in 8m, unless it is put back: put 192.0.2.10 back into EdgePool paris-edge; ' +
      'if it is meant: tideline accept 192.0.2.10 on each of paris-blade-1, paris-blade-2',
  );
  expect(firstLines(doubting(vanished, leaving)).slice(0, 4)).toEqual([
    'DOUBT: cluster paris: VIP 192.0.2.10 left pool paris-edge by an edit; it stays announced (PoolEditWaits)',
    '  the VIP is withdrawn at 2026-11-27T14:11:21Z, in 8m, unless it is put back: put 192.0.2.10 back into EdgePool paris-edge',
    '  if it is meant: tideline accept 192.0.2.10 on each of paris-blade-1, paris-blade-2',
    expect.stringMatching(/^DOUBT: .*SourceImplausible/),
  ]);
});

it.each([
  [
    'SiteEditWaits',
    takenAtMs + 60_000,
    'the edit takes effect at 2026-11-27T14:03:51Z, in 1m, unless it is taken back',
  ],
  ['ExportBanWaits', undefined, 'the edit takes no effect while the platform is frozen'],
  ['PoolEditWaits', undefined, 'the VIP is not withdrawn while the platform is frozen'],
])('say of %s until %s when it takes effect, also where the agent does not know what takes it back', (...row) => {
  const [reason, untilMs, says] = row;
  const { undo: _, untilMs: __, ...doubt } = { ...leaving, reason };
  expect(firstLines(doubting(untilMs === undefined ? doubt : { ...doubt, untilMs }))[1]).toBe(`  ${says}`);
});

it('are named before a thaw where an edit waits for it, with the time that is left', () => {
  const { untilMs: _, ...held } = leaving;
  const old = { ...held, sinceMs: takenAtMs - 600_000 };
  const unheard = { ...leaving, fingerprint: '192.0.2.12' };
  const agents = [blade('paris-blade-1', { doubts: [vanished, old, unheard] }), silent('paris-blade-2', 'edge')];
  const clusters = [{ name: 'paris', problem: 'it lists no Node' }];
  expect(doneByThaw({ ...snapshot(...agents), clusters })).toEqual([
    'takes effect at once when agents read this: VIP 192.0.2.10 left pool paris-edge by an edit; it stays announced (PoolEditWaits); to keep what is: put 192.0.2.10 back into EdgePool paris-edge',
    'not known: what waits at paris-blade-2: no answer',
    'not known: what waits at the workers of cluster paris: it lists no Node',
  ]);
  expect(doneByThaw(doubting(held))).toEqual([expect.stringMatching(/^takes effect in 9m: VIP 192\.0\.2\.10 left/)]);
  expect(doneByThaw(doubting({ ...held, waitsMs: 3_600_000 }))).toEqual([
    expect.stringMatching(/^takes effect in 59m: VIP 192\.0\.2\.10 left/),
  ]);
  const { waitsMs: ___, ...older } = held;
  expect(doneByThaw(doubting(older))).toEqual([
    expect.stringMatching(/^takes effect when its wait is over, .* it has waited for 10s: VIP 192\.0\.2\.10 left/),
  ]);
  expect(doneByThaw(doubting(vanished))).toEqual([]);
});

it('are due when the first server does it', () => {
  const agents = [blade('paris-blade-1', { doubts: [leaving] })];
  const late = { ...leaving, untilMs: takenAtMs + 60_000 };
  expect(doubtsOf(snapshot(...agents, blade('paris-blade-2', { doubts: [late] })))).toMatchObject([
    { untilMs: takenAtMs + 60_000 },
  ]);
});

it('come after the word that the platform is frozen, which names who has not heard of it', () => {
  const frozen = { line: 'FROZEN by anna since 2026-11-27T14:00:00Z: routes flap', unheard: ['paris-blade-2'] };
  expect(firstLines({ ...doubting(vanished), frozen }).slice(0, 3)).toEqual([
    frozen.line,
    '  not heard of by paris-blade-2',
    expect.stringMatching(/^DOUBT: /),
  ]);
  expect(renderStatus({ ...doubting(), frozen })[0]).toBe(frozen.line);
});

it('stand before every other screen, three at most', () => {
  expect(firstLines(doubting(vanished))).toEqual([
    'DOUBT: cluster paris: 5 of 6 Ingress objects are missing; they stay in force (SourceImplausible)',
    '  if it is meant: tideline accept 0123456789ab on each of paris-blade-1, paris-blade-2',
  ]);
  const many = [1, 2, 3, 4, 5].map((n) => ({ ...vanished, fingerprint: `${n}`.repeat(12) }));
  expect(firstLines(doubting(...many))).toHaveLength(7);
  expect(firstLines(doubting())).toEqual([]);
});
