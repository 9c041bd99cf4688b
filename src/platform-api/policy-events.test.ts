import { expect, it } from 'vitest';
import type { ZoneConditionView, ZoneView } from '../model/steering-status.ts';
import { loadPlatformOrThrow } from '../platform/load.ts';
import { policyEvents } from './policy-events.ts';

const place = 'API of cluster paris';
const platform = await loadPlatformOrThrow(['examples/hybrid']);
const needs = (more: Partial<ZoneConditionView> = {}): ZoneConditionView => ({
  reason: 'NeedsApproval',
  message: 'www.video.example moves 24.4% of the traffic, the guard allows 20%',
  fix: 'tideline steering apply examples/hybrid --plan 0123456789abcdef --approve-share 0.244',
  sinceMs: 0,
  ...more,
});
const zone = (more: Partial<ZoneView> = {}): ZoneView => ({
  provider: 'route53',
  zone: 'video.example',
  state: 'waits',
  sinceMs: 0,
  conditions: [needs()],
  plan: {
    checksum: '0123456789abcdef',
    records: { delete: 1, create: 1 },
    movedShare: 0.244,
    hosts: [],
    countries: [],
    policies: ['video'],
  },
  ...more,
});

/** The Events about the policy `video` of this generation, which was looked at in generation 2. */
function told(zones: readonly ZoneView[], generation = 2) {
  const said = { place, kind: 'TrafficPolicy', name: 'video', generation: 2 } as const;
  const verdicts = [{ ...said, state: 'accepted', reason: 'InForce', message: 'it is' } as const];
  const object = { kind: 'TrafficPolicy', metadata: { name: 'video', uid: 'u', generation }, spec: {} };
  return policyEvents(place, [object], { platform, digest: 'd', zones, verdicts });
}

it('calls a person to a policy of which a zone waits for one, and says where the command stands', () => {
  const [event, ...others] = told([zone()]);
  expect(others).toEqual([]);
  expect(event).toMatchObject({ object: { kind: 'TrafficPolicy', name: 'video', uid: 'u' }, type: 'Warning' });
  expect(event).toMatchObject({
    reason: 'NeedsApproval',
    note: expect.stringMatching(/route53 zone video\.example waits/),
  });
});

it('says the same while only figures and checksums change, so that it stays one Event', () => {
  const later = needs({
    message: 'www.video.example moves 24.9% of the traffic',
    fix: 'tideline steering apply --plan f',
  });
  expect(told([zone({ conditions: [later] })])).toEqual(told([zone()]));
});

it.each<[string, readonly ZoneView[], number?]>([
  ['is as wanted again', [zone({ state: 'inForce', conditions: [] })]],
  ['waits for what no person ends', [zone({ conditions: [{ reason: 'Frozen', message: 'works', sinceMs: 0 }] })]],
  ['has one host that waits', [zone({ conditions: [needs({ reason: 'UnownedRecord', host: 'www.video.example' })] })]],
  ['waits because of another policy', [{ ...zone(), plan: undefined } as never]],
  ['was looked at before the policy was edited', [zone()], 3],
  ['is looked at by another agent', [zone({ state: 'standby' })]],
])('says nothing of a policy whose zone %s', (_, zones, generation) => {
  expect(told(zones, generation)).toEqual([]);
});
