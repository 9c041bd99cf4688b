import { expect, it } from 'vitest';
import { blade, takenAtMs, worker } from '../../test/support/snapshot.ts';
import { specReasons } from './reasons.ts';
import type { AgentPart, Snapshot } from './snapshot.ts';
import { specFindings } from './spec-findings.ts';

const told: string[] = [];

function said(agents: readonly AgentPart[], more: Partial<Snapshot> = {}): readonly string[] {
  const snapshot: Snapshot = { takenAtMs, agents, clusters: [], pools: [], drains: [], ...more };
  const lines = specFindings(snapshot).map(({ severity, subject, what }) => `${severity} ${subject} ${what}`);
  told.push(...lines);
  return lines;
}

const place = 'API of cluster paris';
const differs = {
  place,
  object: 'EdgePool/paris-edge',
  reason: 'CopiesDiffer',
  message: 'the copies in pools.yaml and API of cluster paris differ; in force is the one on which they agreed last',
};
const platform = { phase: 'current', notInForce: [differs] };

it('copies that differ hold up edits, which is said once for all agents', () => {
  expect(said([blade('b1', { platform }), blade('b2', { platform })])).toEqual([
    `warning EdgePool/paris-edge is not changed by an edit before its copies agree: ${differs.message} (CopiesDiffer)`,
  ]);
});

it('an object that is refused where it stands is named with the reason', () => {
  const refused = { place, object: 'Drain/d', reason: 'OfOtherCluster', message: 'it drains rome' };
  expect(said([blade('b1', { platform: { phase: 'current', notInForce: [refused] } })])).toEqual([
    'warning Drain/d is not in force as it stands in the API of cluster paris: it drains rome (OfOtherCluster)',
  ]);
});

it('a copy that is equal is a note, before an edit surprises', () => {
  expect(said([], { spec: { twice: [{ object: 'EdgePool/paris-edge', place }], unread: [] } })).toEqual([
    'note EdgePool/paris-edge stands in the folder and in the API of cluster paris: an edit of it has an effect once both have it',
  ]);
});

it('an API that cannot be read is not known, once', () => {
  const spec = { twice: [], unread: [{ cluster: 'paris', why: 'no right: SourceForbidden' }] };
  expect(said([], { spec })).toEqual([
    'unknown cluster paris has an API that could not be read here as a source of the platform spec: no right: SourceForbidden (SpecApiUnread)',
  ]);
  expect(said([], { spec, clusters: [{ name: 'paris', problem: 'cannot be read' }] })).toEqual([]);
});

it('agents that may not read the spec in the API are named, but not while they cannot read the API at all', () => {
  const own = { place: 'API of cluster paris', objects: 0 };
  const apis = [{ ...own, phase: 'stale' as const, reason: 'SourceForbidden' }];
  const blind = { phase: 'current', apis };
  const away = { phase: 'stale' as const, sinceMs: 0, servingSnapshot: false };
  expect(said([blade('b1', { platform: blind }), worker('w1', { platform: blind })])).toEqual([
    'warning cluster paris has agents that cannot read the platform spec in its API (SourceForbidden), where a Drain has no effect: b1, w1 (SpecApiUnheeded)',
  ]);
  expect(said([blade('b1', { platform: blind, source: away })])).toEqual([]);
  const young = (reason?: string) => ({ phase: 'current', apis: [{ ...own, phase: 'syncing' as const, reason }] });
  expect(said([blade('b1', { platform: young('SourceForbidden') })])).toHaveLength(1);
  expect(said([blade('b1', { platform: young('SourceKindMissing') }), blade('b2', { platform: young() })])).toEqual([]);
  const other = { ...own, place: 'API of cluster newyork', phase: 'stale' as const, reason: 'SourceUnreachable' };
  expect(said([blade('b1', { platform: { phase: 'current', apis: [other] } })])).toEqual([
    'warning cluster paris has agents that cannot read the platform spec in the API of cluster newyork, whose objects stay as they were read last (SourceUnreachable): b1 (SpecApiUnheeded)',
  ]);
});

it('gives each of its reasons', () => {
  for (const reason of Object.keys(specReasons)) expect(told.join()).toContain(`(${reason})`);
});
