import { expect, test } from 'vitest';
import { guarded, overlaid, overlay, overlayNowMs, verdict } from '../../../test/support/steering/overlays.ts';
import { examplePlatform } from '../../../test/support/steering/world.ts';
import type { ZoneView } from '../steering-status.ts';
import { overlayStanding, verdictStanding } from './overlay-standing.ts';

const zone = (provider: string, more: Partial<ZoneView> = {}): ZoneView => ({
  provider,
  zone: 'video.example',
  state: 'inForce',
  sinceMs: 0,
  generation: 1,
  conditions: [],
  ...more,
});
const late = Date.parse('2026-11-28T00:00:01Z');
const other = { rules: [{ countries: ['FR'], clusters: [{ name: 'newyork' }] }] };
const asPolicy = { rules: [{ countries: ['FR'], clusters: [{ name: 'paris' }], failover: ['cloud'] }] };
const unknown = { rules: [{ countries: ['FR'], clusters: [{ name: 'tokyo' }] }] };
const waits = zone('route53', {
  state: 'waits',
  plan: {
    checksum: '',
    records: { delete: 0, create: 1 },
    movedShare: 1,
    hosts: [],
    countries: [],
    policies: ['video'],
  },
  conditions: [{ reason: 'NeedsApproval', message: 'too much', sinceMs: 0 }],
});

type Row = readonly [
  what: string,
  objects: Parameters<typeof overlaid>[1],
  ofOverlay: string,
  ofVerdict?: string | undefined,
  more?: { readonly nowMs?: number; readonly zones?: readonly ZoneView[]; readonly guard?: object },
];
const rows: readonly Row[] = [
  ['waits', [overlay()], 'False WaitsForPerson'],
  ['ended before a word', [overlay()], 'False EndedUnapproved', undefined, { nowMs: late }],
  ['approved', [overlay(), verdict(overlay())], 'True Approved', 'True Approved'],
  ['automatic', [overlay()], 'True Approved', undefined, { guard: { proposals: 'automatic' } }],
  [
    'approved, and its plan waits',
    [overlay(), verdict(overlay())],
    'False NeedsApproval',
    'True Approved',
    { zones: [waits, zone('powerdns')] },
  ],
  ['rejected', [overlay(), verdict(overlay(), { verdict: 'reject' })], 'False Rejected', 'True Rejected'],
  ['changed', [overlay(other), verdict(overlay())], 'True ChangedSince', 'True ChangedSince'],
  [
    'changed after a rejection',
    [overlay(other), verdict(overlay(), { verdict: 'reject' })],
    'False WaitsForPerson',
    'False OlderVersion',
  ],
  ['ended, stays', [overlay(), verdict(overlay())], 'True EndedStays', 'True Approved', { nowMs: late }],
  [
    'ended, returns',
    [overlay({ afterwards: 'return' }), verdict(overlay({ afterwards: 'return' }))],
    'False EndedReturns',
    'True Approved',
    { nowMs: late },
  ],
  ['silent', [overlay({ renewed: '2026-11-27T12:00:00Z' }), verdict(overlay())], 'True Silent', 'True Approved'],
  ['equal', [overlay(asPolicy), verdict(overlay(asPolicy))], 'False SaysTheSame', 'True Approved'],
  ['broken', [overlay(unknown), verdict(overlay(unknown))], 'False PassedOver', 'True Approved'],
  [
    'its own word',
    [overlay(), verdict(overlay(), { by: 'optimiser' })],
    'False OwnWord',
    'False OwnWord',
    { guard: { approvers: 'other' } },
  ],
  [
    'its own word about a copy in the name of another owner',
    [overlay(), verdict(overlay({ owner: 'bob' }), { by: 'optimiser' })],
    'False OwnWord',
    'False OwnWord',
    { guard: { approvers: 'other' } },
  ],
  [
    'said anew under another name',
    [overlay(), verdict(overlay()), verdict(overlay(), { verdict: 'reject', at: '2026-11-27T15:30:00Z' }, 'second')],
    'False Rejected',
    'False Replaced',
  ],
];

for (const [what, objects, ofOverlay, ofVerdict, { nowMs = overlayNowMs, zones, guard = {} } = {}] of rows)
  test(what, async () => {
    const platform = overlaid(guarded(await examplePlatform(), guard), objects, nowMs);
    const view = platform.overlaid?.[0];
    if (view === undefined) throw new Error('no overlay');
    const { status, reason } = overlayStanding(view, platform, zones ?? [zone('route53'), zone('powerdns')]);
    expect(`${status} ${reason}`).toBe(ofOverlay);
    const word = verdictStanding('evening', platform);
    expect(word === undefined ? undefined : `${word.status} ${word.reason}`).toBe(ofVerdict);
  });

test('a word about an overlay that is gone', async () => {
  const platform = overlaid(await examplePlatform(), [overlay({}, 'other'), verdict(overlay())]);
  expect(verdictStanding('evening', platform)).toMatchObject({ status: 'False', reason: 'NoOverlay' });
});

test('one that has ended says how far its users have returned', async () => {
  const objects = [overlay({ afterwards: 'return' }), verdict(overlay({ afterwards: 'return' }))];
  const platform = overlaid(await examplePlatform(), objects, late);
  const back = {
    policy: 'video',
    overlay: 'evening',
    sinceMs: 0,
    by: 'agent',
    ends: 'its users are led back, now up to ES',
  };
  const [view] = platform.overlaid ?? [];
  expect(view && overlayStanding(view, platform, [zone('route53', { returns: [back] })]).message).toBe(
    'it ended at 2026-11-28T00:00:00Z, and its traffic returns: its users are led back, now up to ES',
  );
});
