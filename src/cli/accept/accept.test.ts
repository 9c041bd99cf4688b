import { describe, expect, it } from 'vitest';
import { blade, silent, worker } from '../../../test/support/snapshot.ts';
import type { AgentDoubt } from '../../observe/doubt-fields.ts';
import { heardOf, isTaken, takenAlready } from './taken.ts';
import { renderAlready, renderDoubts, renderPlan } from './text.ts';

const vip = '192.0.2.10';
const nowMs = Date.UTC(2026, 10, 27, 9, 25, 1);
const doubt: AgentDoubt = {
  reason: 'PoolEditWaits',
  message: `VIP ${vip} left pool paris-edge by an edit; it stays announced`,
  objects: [`VIP ${vip}`],
  count: 1,
  sinceMs: nowMs - 60_000,
  untilMs: nowMs + 540_000,
  undo: `put ${vip} back into EdgePool paris-edge`,
  fingerprint: vip,
  former: [],
};

describe('a fingerprint that was accepted', () => {
  const accepted = [
    { fingerprint: vip, atMs: nowMs - 86_400_000 },
    { fingerprint: vip, atMs: nowMs, by: 'anna' },
    { fingerprint: 'ffffffffffff', atMs: nowMs },
  ];

  it('is told with who accepted it, when, and by which agents it was taken', () => {
    const agents = [blade('paris-blade-1', { accepted }), worker('paris-worker-1'), silent('paris-blade-2', 'edge')];
    expect(renderAlready(vip, takenAlready(vip, heardOf({ agents })))).toEqual([
      `${vip} is accepted already; nothing is to be done`,
      '  taken by the agent of paris-blade-1 at 2026-11-27T09:25:01Z, accepted by anna',
    ]);
    expect(takenAlready('000000000000', heardOf({ agents }))).toEqual([]);
  });

  it.each([
    ['after this command wrote it', nowMs + 1000, [doubt], nowMs, true],
    ['a moment sooner, by another command', nowMs, [], nowMs + 500, true],
    ['before, and is in doubt again', nowMs, [doubt], nowMs + 500, false],
    ['for an earlier edit', nowMs - 120_000, [], nowMs + 500, false],
  ])('counts as taken or not where it was taken %s', (_, atMs, doubts, writtenMs, taken) => {
    expect(isTaken({ accepted: [{ fingerprint: vip, atMs }], doubts }, doubt, writtenMs)).toBe(taken);
  });
});

it('says when an edit takes effect by itself and what takes it back, before the command that accepts it', () => {
  const doubts = [{ ...doubt, cluster: 'paris', servers: ['paris-blade-1'] }];
  expect(renderDoubts(doubts, { here: true, silent: [], nowMs }).slice(3)).toEqual([
    '  takes effect by itself in 9m',
    `  to take it back: put ${vip} back into EdgePool paris-edge`,
    `  if it is meant: tideline accept ${vip} --yes`,
  ]);
});

it.each([
  [5, 5, undefined],
  [7, 7, '  and 2 more'],
  [20, 33, '  and 28 more'],
])('names five of the objects in doubt, and counts the rest: of %d names and %d objects', (names, count, more) => {
  const objects = Array.from({ length: names }, (_, index) => `Ingress/video/web-${index}`);
  const doubts = [{ ...doubt, objects, count, cluster: 'paris', servers: ['paris-blade-1'] }];
  const lines = renderDoubts(doubts, { here: true, silent: [], nowMs });
  expect(lines.filter((line) => line.startsWith('  Ingress/'))).toHaveLength(5);
  expect(lines.find((line) => /^ {2}and \d+ more$/.test(line))).toBe(more);
});

it.each([
  ['/srv/manifests/.tideline-accept', true],
  ['/var/lib/tideline/edge/accept-edge-paris', false],
])('plans for %s that other agents take it as well: %s', (file, shared) => {
  const at = { address: '127.0.0.1', port: 9464 };
  const agent = { agent: 'edge', server: 'paris-blade-1', cluster: 'paris', doubts: [doubt], accepted: [], at };
  const plan = renderPlan(vip, [{ agent, doubt, file }], { written: false, missing: [] });
  expect(plan.includes('    every agent that reads this folder takes it, also on other servers')).toBe(shared);
});
