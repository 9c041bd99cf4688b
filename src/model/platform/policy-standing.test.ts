import { expect, it } from 'vitest';
import type { TrafficPolicy } from '../spec/kinds.ts';
import type { ZoneView } from '../steering-status.ts';
import { standingOf } from './policy-standing.ts';

const policy = {
  metadata: { name: 'video' },
  spec: { hosts: ['www.video.example'], dns: { zone: 'video.example', providers: ['route53', 'powerdns'] } },
} as unknown as TrafficPolicy;

const zone = (provider: string, more: Partial<ZoneView> = {}): ZoneView => ({
  provider,
  zone: 'video.example',
  state: 'inForce',
  sinceMs: 0,
  generation: 7,
  conditions: [],
  ...more,
});
const planOf = (...policies: readonly string[]): NonNullable<ZoneView['plan']> => ({
  checksum: 'c',
  records: { delete: 1, create: 1 },
  movedShare: 1,
  hosts: [],
  countries: [],
  policies,
});
const needs = { reason: 'NeedsApproval', message: 'too much moves', fix: 'apply it', sinceMs: 0 };
const held = { reason: 'UnownedRecord', message: 'it is of others', sinceMs: 0 };
const powerdns = zone('powerdns');

it.each<[string, readonly ZoneView[], string]>([
  ['every zone answers so', [zone('route53'), powerdns], 'True InForce'],
  [
    'the zone waits for this policy',
    [zone('route53', { state: 'waits', plan: planOf('video'), conditions: [needs] }), powerdns],
    'False NeedsApproval',
  ],
  [
    'the zone waits for another policy',
    [zone('route53', { state: 'waits', plan: planOf('music'), conditions: [needs] }), powerdns],
    'True InForce',
  ],
  [
    'a host of it is held back',
    [
      zone('route53', {
        state: 'waits',
        conditions: [
          { ...held, host: 'x.video.example', reason: 'Other' },
          { ...held, host: 'www.video.example' },
        ],
      }),
      powerdns,
    ],
    'False UnownedRecord',
  ],
  [
    'a host of another policy is held back',
    [zone('route53', { state: 'waits', conditions: [{ ...held, host: 'x.video.example' }] }), powerdns],
    'True InForce',
  ],
  [
    'the agent only observes',
    [zone('route53', { state: 'planned', plan: planOf('video') }), powerdns],
    'False NotApplied',
  ],
  [
    'the zone cannot be read',
    [zone('route53', { state: 'fails', conditions: [{ ...held, reason: 'ProviderUnreachable' }] }), powerdns],
    'Unknown ProviderUnreachable',
  ],
  [
    'the plan cannot be written',
    [
      zone('route53', {
        state: 'fails',
        plan: planOf('video'),
        conditions: [{ ...held, reason: 'ProviderUnreachable' }],
      }),
      powerdns,
    ],
    'False ProviderUnreachable',
  ],
  ['one provider was not looked at', [powerdns], 'Unknown NotLookedAt'],
  ['another agent leads', [zone('route53', { state: 'standby' }), powerdns], 'Unknown NotLookedAt'],
])('when %s', (_, zones, expected) => {
  const { status, reason } = standingOf(policy, zones);
  expect(`${status} ${reason}`).toBe(expected);
});

it('names the zone, why, and what a person does', () => {
  const waits = zone('route53', { state: 'waits', plan: planOf('video'), conditions: [needs] });
  expect(standingOf(policy, [waits, powerdns]).message).toBe('route53 zone video.example: too much moves; apply it');
  expect(standingOf(policy, [zone('route53'), powerdns]).message).toBe(
    'route53 zone video.example answers so, at generation 7; powerdns zone video.example answers so, at generation 7',
  );
});
