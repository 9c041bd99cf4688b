import { expect, it } from 'vitest';
import type { OwnObject } from '../kube/objects/own.ts';
import type { ZoneView } from '../model/steering-status.ts';
import { loadPlatformOrThrow } from '../platform/load.ts';
import type { Verdict } from '../platform/spec-api.ts';
import { type Looked, SteeredStatuses } from './steered-status.ts';

const place = 'API of cluster paris';
const startMs = Date.parse('2026-01-01T00:00:00Z');
const verdictOf = (generation: number, more: Partial<Verdict> = {}): Verdict => ({
  place,
  kind: 'TrafficPolicy',
  name: 'video',
  generation,
  state: 'accepted',
  reason: 'InForce',
  message: 'it is',
  ...more,
});
const zoneOf = (provider: string, generation: number): ZoneView => ({
  provider,
  zone: 'video.example',
  state: 'inForce',
  sinceMs: startMs,
  generation,
  conditions: [],
});
const policyOf = (generation: number, status?: object): OwnObject<string> => ({
  kind: 'TrafficPolicy',
  metadata: { name: 'video', uid: 'u', generation },
  spec: {},
  ...(status === undefined ? {} : { status: status as Record<string, unknown> }),
});

async function lookedAt(verdict: Verdict, generation = 1): Promise<Looked> {
  const platform = await loadPlatformOrThrow(['examples/hybrid']);
  const zones = [zoneOf('route53', generation), zoneOf('powerdns', 3)];
  return { platform, digest: 'd1', zones, verdicts: [verdict] };
}

interface Wanted {
  readonly conditions: readonly { readonly type: string; readonly status: string; readonly reason: string }[];
  readonly zones: readonly object[];
}

const only = (kind: string, object: OwnObject<string>) => (asked: string) => (asked === kind ? [object] : []);
const wishOf = (statuses: SteeredStatuses, object: OwnObject<string>, looked: Looked, nowMs = startMs) =>
  statuses.wishes(place, only('TrafficPolicy', object), looked, nowMs)[0];
const wantedOf = (wish: ReturnType<typeof wishOf>): Wanted => {
  if (wish?.wanted === undefined) throw new Error('nothing is wanted');
  return wish.wanted as Wanted;
};
const textOf = (wish: ReturnType<typeof wishOf>): readonly string[] =>
  wantedOf(wish).conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`);

it('says since when each zone has its generation, and keeps that time while it has', async () => {
  const statuses = new SteeredStatuses();
  const looked = await lookedAt(verdictOf(1));
  const first = wishOf(statuses, policyOf(1), looked);
  expect(first?.wanted).toMatchObject({
    observedGeneration: 1,
    specDigest: 'd1',
    zoneList: 'route53 1,powerdns 3',
    zones: [
      { provider: 'route53', generation: 1, since: '2026-01-01T00:00:00Z' },
      { provider: 'powerdns', generation: 3, since: '2026-01-01T00:00:00Z' },
    ],
  });
  expect(textOf(first)).toEqual(['Accepted=True InForce', 'InForce=True InForce']);
  // What stands is not wished again, after a restart neither.
  const stands = policyOf(1, first?.wanted);
  const again = wishOf(new SteeredStatuses(), stands, looked, startMs + 60_000);
  expect(again?.held).toEqual(again?.wanted);
  const moved = wishOf(new SteeredStatuses(), stands, await lookedAt(verdictOf(1), 2), startMs + 60_000);
  expect(wantedOf(moved).zones).toMatchObject([
    { generation: 2, since: '2026-01-01T00:01:00Z' },
    { generation: 3, since: '2026-01-01T00:00:00Z' },
  ]);
});

it('says nothing of an edit that nobody has looked at, nor of an object of another place', async () => {
  const statuses = new SteeredStatuses();
  const looked = await lookedAt(verdictOf(1));
  const first = wishOf(statuses, policyOf(1), looked);
  expect(wishOf(statuses, policyOf(2), looked)).toBe(first);
  expect(wishOf(new SteeredStatuses(), policyOf(2), looked)).toBeUndefined();
  const elsewhere = await lookedAt(verdictOf(1, { place: 'API of cluster newyork' }));
  expect(wishOf(new SteeredStatuses(), policyOf(1), elsewhere)).toBeUndefined();
});

it('says why a policy is refused, and of one that is held what became of the version before', async () => {
  const refused = await lookedAt(verdictOf(1, { state: 'refused', reason: 'NotTrusted' }));
  expect(textOf(wishOf(new SteeredStatuses(), policyOf(1), refused))).toEqual([
    'Accepted=False NotTrusted',
    'InForce=False NotTrusted',
  ]);
  const held = await lookedAt(verdictOf(1, { state: 'held', reason: 'ObjectUnreadable' }));
  expect(textOf(wishOf(new SteeredStatuses(), policyOf(1), held))).toEqual([
    'Accepted=False ObjectUnreadable',
    'InForce=True InForce',
  ]);
});

it('writes of a Drain one condition, leaves those of others, and takes it back once DNS does not concern it', async () => {
  const statuses = new SteeredStatuses();
  const { platform, ...looked } = await lookedAt(verdictOf(4, { kind: 'Drain', name: 'works' }));
  const spec = {
    target: { kind: 'Cluster', name: 'paris' },
    force: false,
    reason: 'w',
    expires: '2026-01-01T01:00:00Z',
  };
  const drain = {
    apiVersion: 'tideline.dev/v1alpha1',
    kind: 'Drain',
    metadata: { name: 'works' },
    spec,
  } as const;
  const drained = { ...looked, platform: { ...platform, drains: new Map([['works', drain]]) } } as unknown as Looked;
  const others = [{ type: 'InForce', status: 'True', reason: 'InForce', message: 'm' }];
  const object = { kind: 'Drain', metadata: { name: 'works', generation: 4 }, spec, status: { conditions: others } };
  const wish = (nowMs: number, status: object) =>
    statuses.wishes(place, only('Drain', { ...object, status: status as never }), drained, nowMs)[0];
  const first = wish(startMs, object.status);
  expect(textOf(first)).toEqual(['InDns=True InForce']);
  expect(first?.held).toBeUndefined();
  const stands = { conditions: [...others, ...wantedOf(first).conditions] };
  const over = wish(Date.parse('2026-01-01T02:00:00Z'), stands);
  expect(over?.wanted).toBeUndefined();
  expect(over?.held).toMatchObject({ conditions: [{ type: 'InDns' }] });
  expect(wish(Date.parse('2026-01-01T02:00:00Z'), object.status)).toBeUndefined();
});

it('says of a Drain how much DNS still leads there, and leaves that while a zone is not looked at', async () => {
  const { platform, zones, ...looked } = await lookedAt(verdictOf(4, { kind: 'Drain', name: 'works' }));
  const spec = {
    target: { kind: 'Cluster', name: 'paris' },
    force: false,
    reason: 'w',
    expires: '2026-01-01T01:00:00Z',
  };
  const drained = { ...platform, drains: new Map([['works', { metadata: { name: 'works' }, spec }]]) };
  const view = (share: number, emptyAtMs?: number) => ({
    drains: [{ drain: 'works', share, byFamily: { ipv4: share }, ttlSeconds: 30, ...(emptyAtMs ? { emptyAtMs } : {}) }],
  });
  const wish = (status: object | undefined, ...views: readonly object[]) => {
    const seen = { ...looked, platform: drained, zones: zones.map((zone, at) => ({ ...zone, ...views[at] })) };
    const object = { kind: 'Drain', metadata: { name: 'works', generation: 4 }, spec, status } as unknown;
    return new SteeredStatuses().wishes(
      place,
      only('Drain', object as OwnObject<string>),
      seen as unknown as Looked,
      startMs,
    )[0];
  };
  const first = wish(undefined, view(0.25), view(0, startMs));
  expect(first?.wanted).toMatchObject({ dnsShare: 0.25, dnsShareByFamily: { ipv4: 0.25 } });
  expect(first?.wanted).not.toHaveProperty('dnsEmptyAt');
  const later = wish(first?.wanted, view(0, startMs + 30_000), view(0, startMs));
  expect(later?.wanted).toMatchObject({ dnsShare: 0, dnsEmptyAt: '2026-01-01T00:00:30Z' });
  const unread = wish(later?.wanted, view(0.5), {});
  expect(unread?.wanted).toEqual(later?.wanted);
  expect(unread?.held).toEqual(unread?.wanted);
});
