import { expect, it } from 'vitest';
import type { SourceStatus, StaleReason } from '../../kube/source.ts';
import { Staleness, staleNotice } from './staleness.ts';

const live: SourceStatus = { phase: 'live', sinceMs: 0 };
const stale = (reason: StaleReason): SourceStatus => ({ phase: 'stale', sinceMs: 0, reason, message: '' });
const away = stale('SourceUnreachable');

/** Whether the routes yield after each of these looks. */
function yieldsAt(looks: readonly (readonly [atMs: number, source: SourceStatus, relayYields?: boolean])[]): string {
  const staleness = new Staleness(1000);
  return looks
    .map(([atMs, source, relayYields = false]) => {
      staleness.look(source, relayYields, atMs);
      return staleness.yields ? 'yes' : 'no';
    })
    .join(' ');
}

it.each<[string, Parameters<typeof yieldsAt>[0], string]>([
  [
    'after the limit',
    [
      [0, live],
      [999, live],
      [1000, away],
      [1998, away],
      [1999, away],
    ],
    'no no no no yes',
  ],
  [
    'never before the limit, however often the source comes and goes',
    [
      [0, live],
      [900, away],
      [950, live],
      [1900, away],
    ],
    'no no no no',
  ],
  [
    'no more once the cluster is read',
    [
      [0, live],
      [1000, away],
      [1001, live],
    ],
    'no yes no',
  ],
  [
    'when the cluster was never read since the start',
    [
      [5000, { phase: 'syncing' }],
      [5999, away],
      [6000, away],
    ],
    'no no yes',
  ],
  [
    'at once after an agent that left them so, until the cluster is read',
    [
      [0, away, true],
      [1, away],
      [2, live],
      [3, away, true],
    ],
    'yes yes no no',
  ],
  [
    'not while a loss is doubted',
    [
      [0, live],
      [9000, stale('SourceImplausible')],
    ],
    'no no',
  ],
  [
    'for another cluster',
    [
      [0, live],
      [1000, stale('SourceOfOtherCluster')],
    ],
    'no yes',
  ],
])('lets routes yield: %s', (_, looks, expected) => {
  expect(yieldsAt(looks)).toBe(expected);
});

it('says when it is due, and why', () => {
  const staleness = new Staleness(1000);
  expect(staleness.nextAtMs).toBe(Infinity);
  staleness.look(away, false, 5);
  expect(staleness.nextAtMs).toBe(1005);
  staleness.look(away, false, 1005);
  expect(staleness.nextAtMs).toBe(Infinity);
  expect(staleNotice(away)).toMatchObject({
    reason: 'YieldsWhileStale',
    message: expect.stringContaining('SourceUnreachable'),
  });
});
