import { expect, test } from 'vitest';
import { blade, silent, takenAtMs, worker } from '../../test/support/snapshot.ts';
import { findingsOf } from './findings.ts';
import { firstSeen, withFirstSeen } from './first-seen.ts';
import type { AgentPart, Snapshot } from './snapshot.ts';
import { renderStatus } from './text.ts';

function look(atMs: number, agents: readonly AgentPart[]): Snapshot {
  const pools = [{ name: 'paris-edge', cluster: 'paris', vips: ['192.0.2.10'] }];
  return { takenAtMs: takenAtMs + atMs, clusters: [{ name: 'paris' }], pools, agents, drains: [] };
}

const well = [blade('b1'), blade('b2'), worker('w1')];
const dead = [silent('b1', 'edge'), blade('b2'), worker('w1')];

test('says since when a finding is seen, until it ends; of what the first look finds nobody knows how old it is', () => {
  const first = firstSeen(undefined, look(0, dead));
  expect(renderStatus(look(0, dead), { seen: first })[0]).not.toContain('first seen');
  const mended = firstSeen(first, look(2000, well));
  const again = firstSeen(mended, look(4000, dead));
  const later = firstSeen(again, look(60_000, dead));
  expect(renderStatus(look(60_000, dead), { seen: later })[0]).toBe(
    '14:03:51Z  FAULT: b1 cannot be reached, first seen 14:02:55Z',
  );
  expect(withFirstSeen(findingsOf(look(60_000, dead)), later)).toMatchObject([{ seenMs: takenAtMs + 4000 }]);
});

test('leaves a finding alone that says itself when it began', () => {
  const stale = { phase: 'stale' as const, sinceMs: takenAtMs - 120_000, reason: 'SourceUnreachable' };
  const lost = look(2000, [blade('b1', { source: stale }), blade('b2', { source: stale })]);
  const seen = firstSeen(firstSeen(undefined, look(0, well)), lost);
  expect(withFirstSeen(findingsOf(lost), seen)).toEqual(findingsOf(lost));
});
