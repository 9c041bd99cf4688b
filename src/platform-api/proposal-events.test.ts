import { expect, it } from 'vitest';
import { overlaid, overlay, overlayNowMs, verdict } from '../../test/support/steering/overlays.ts';
import type { OwnObject } from '../kube/objects/own.ts';
import type { TrafficOverlay, TrafficVerdict } from '../model/spec/kinds.ts';
import { loadPlatformOrThrow } from '../platform/load.ts';
import { proposalEvents } from './proposal-events.ts';

const place = 'API of cluster paris';
const platform = await loadPlatformOrThrow(['examples/hybrid']);
const zones = ['route53', 'powerdns'].map((provider) => ({
  provider,
  zone: 'video.example',
  state: 'inForce' as const,
  sinceMs: 0,
  generation: 1,
  conditions: [],
}));

/** The Events of these objects, as `type reason`, standing ones before what happened; the status said `before`. */
function told(objects: readonly (TrafficOverlay | TrafficVerdict)[], before?: string, nowMs = overlayNowMs) {
  const status = before === undefined ? {} : { status: { conditions: [{ type: 'InForce', reason: before }] } };
  const object: OwnObject<string> = {
    kind: 'TrafficOverlay',
    metadata: { name: 'evening', uid: 'u', generation: 2 },
    spec: {},
    ...status,
  };
  const said = { place, kind: 'TrafficOverlay', name: 'evening', generation: 2 } as const;
  const verdicts = [{ ...said, state: 'accepted', reason: 'InForce', message: 'it is' } as const];
  const looked = { platform: overlaid(platform, objects, nowMs), digest: 'd', zones, verdicts };
  const { standing, happened } = proposalEvents(place, [object], looked);
  const text = ({ type, reason }: { readonly type: string; readonly reason: string }): string => `${type} ${reason}`;
  return { standing: standing.map(text), happened: happened.map(text), events: [...standing, ...happened] };
}

const later = overlayNowMs + 30 * 86_400_000;
const ours = overlay();
const silent = overlay({ renewed: '2026-01-01T00:00:00Z' });
const returning = overlay({ afterwards: 'return' });

it.each<[string, readonly (TrafficOverlay | TrafficVerdict)[], string, number?]>([
  ['waits for a person', [ours], 'Warning WaitsForPerson'],
  ['is approved, and nobody renews', [silent, verdict(silent)], 'Warning Silent'],
  ['has ended, and stays', [ours, verdict(ours)], 'Warning EndedStays', later],
])('calls a person for as long as a proposal %s', (_, objects, says, nowMs) => {
  expect(told(objects, undefined, nowMs)).toMatchObject({ standing: [says], happened: [] });
  expect(told(objects, says.split(' ')[1], nowMs)).toMatchObject({ standing: [says], happened: [] });
});

it.each<[string, readonly (TrafficOverlay | TrafficVerdict)[], string, number?]>([
  ['was approved', [ours, verdict(ours)], 'Approved'],
  ['was rejected', [ours, verdict(ours, { verdict: 'reject' })], 'Rejected'],
  ['has ended, and returns', [returning, verdict(returning)], 'EndedReturns', later],
  ['ended before anybody said a word', [ours], 'EndedUnapproved', later],
])('says once that a proposal %s', (_, objects, reason, nowMs) => {
  expect(told(objects, 'WaitsForPerson', nowMs)).toMatchObject({ standing: [], happened: [`Normal ${reason}`] });
  expect(told(objects, reason, nowMs)).toMatchObject({ standing: [], happened: [] });
});

it('is about the object, with the words that its status has', () => {
  expect(told([ours, verdict(ours)], 'WaitsForPerson').events).toMatchObject([
    { object: { kind: 'TrafficOverlay', name: 'evening', uid: 'u' }, note: expect.stringMatching(/^approved by anna/) },
  ]);
});
