import { describe, expect, it } from 'vitest';
import { type PlannedZone, type SpecTrouble, stepOf, type World } from './step.ts';

const trusted: SpecTrouble = { unread: [], doubts: [], odd: [] };
const world = (changes: Partial<World> = {}): World => ({ mode: 'automatic', trouble: trusted, ...changes });
const zone = (changes: Partial<PlannedZone> = {}): PlannedZone => ({
  changes: true,
  overGuard: [],
  unseen: [],
  undoes: [],
  appliesLately: 0,
  ...changes,
});
const reasonsOf = (given: World, planned: PlannedZone): readonly string[] =>
  stepOf(given, planned).because.map(({ reason }) => reason);

describe('what is done about a planned zone', () => {
  it('is applied when nothing speaks against it', () => {
    expect(stepOf(world(), zone())).toEqual({ does: 'apply', because: [] });
  });

  it('is nothing when nothing is to do, whatever speaks against it', () => {
    expect(stepOf(world({ frozen: 'x' }), zone({ changes: false }))).toEqual({ does: 'nothing', because: [] });
  });

  it.each<[string, Partial<World>, Partial<PlannedZone>]>([
    ['Frozen', { frozen: 'FROZEN by anna' }, {}],
    ['InputInvalid', { trouble: { ...trusted, invalid: 'x' } }, {}],
    ['InputUnread', { trouble: { ...trusted, unread: ['x'] } }, {}],
    ['InputDoubted', { trouble: { ...trusted, doubts: ['x'] } }, {}],
    ['InputContradicts', { trouble: { ...trusted, odd: ['x'] } }, {}],
    ['NeedsApproval', {}, { overGuard: ['x'] }],
    ['HealthUnseen', {}, { unseen: ['video'] }],
    ['RolledBack', {}, { undoes: [{ reason: 'RolledBack', message: 'x' }] }],
    ['AppliedTooOften', {}, { appliesLately: 6 }],
  ])('waits for %s', (reason, changes, planned) => {
    expect(stepOf(world(changes), zone(planned)).does).toBe('wait');
    expect(reasonsOf(world(changes), zone(planned))).toEqual([reason]);
  });

  it('names a Freeze before everything else', () => {
    const bad = world({ frozen: 'x', trouble: { invalid: 'x', unread: ['x'], doubts: ['x'], odd: ['x'] } });
    const reasons = reasonsOf(bad, zone({ overGuard: ['x'], unseen: ['x'], appliesLately: 9 }));
    expect(reasons[0]).toBe('Frozen');
    expect(reasons).toHaveLength(8);
  });

  it('is never to apply in the modes that only look', () => {
    expect(stepOf(world({ mode: 'observe' }), zone())).toEqual({ does: 'show', because: [] });
    expect(stepOf(world({ mode: 'observe' }), zone({ overGuard: ['x'] })).does).toBe('show');
    expect(reasonsOf(world({ mode: 'recommend' }), zone())).toEqual(['OnlyRecommended']);
    expect(reasonsOf(world({ mode: 'recommend' }), zone({ overGuard: ['x'] }))).toEqual(['NeedsApproval']);
  });
});
