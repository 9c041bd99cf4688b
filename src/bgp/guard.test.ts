import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contains, type Prefix, parseAddress, parsePrefix } from '../model/address.ts';
import { Guard, type GuardLimits } from './guard.ts';
import type { Route, RouteClass } from './route.ts';

const limits: GuardLimits = {
  allowed: {
    pods: [prefix('10.10.0.0/16'), prefix('2001:db8::/32')],
    server: [prefix('10.1.0.0/24')],
    vip: [prefix('192.0.2.0/28')],
  },
  maxRoutes: 40,
  maxAnnouncementsPerMinute: 100,
  maxWithdrawalsPerMinute: 5,
};
const both = new Set([4, 6] as const);
const judge = (guard: Guard, routes: readonly Route[], nowMs = 0, confirmed = false) =>
  guard.judge(routes, { families: both, nowMs, confirmed });

function prefix(text: string) {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
}

function route(text: string, routeClass: RouteClass = 'pods', more: Partial<Route> = {}): Route {
  const parsed = prefix(text);
  const nextHop = parseAddress(parsed.family === 4 ? '10.1.0.11' : '2001:db8::1');
  if (nextHop === undefined) throw new Error('unreachable');
  return { prefix: parsed, nextHop, class: routeClass, because: 'test', ...more };
}

const pods = (count: number): readonly Route[] => Array.from({ length: count }, (_, i) => route(`10.10.${i}.0/26`));
const texts = (routes: readonly Route[]): readonly string[] => routes.map((entry) => entry.prefix.text);

describe('what may never be announced', () => {
  const four = new Set([4] as const);
  const cases: readonly (readonly [string, Route, string])[] = [
    ['a default route', route('0.0.0.0/0'), 'DefaultRoute'],
    ['an IPv6 default route', route('::/0'), 'DefaultRoute'],
    ['more than the allowed prefix', route('10.0.0.0/8'), 'PrefixTooShort'],
    ['a prefix of another network', route('8.8.8.0/24'), 'PrefixOutsideSite'],
    ['a VIP as pods', route('192.0.2.10/32'), 'PrefixOutsideSite'],
    ['pods as a VIP', route('10.10.0.0/26', 'vip'), 'PrefixOutsideSite'],
    [
      'host bits',
      route('10.10.1.0/26', 'pods', { prefix: { ...prefix('10.10.1.0/26'), text: '10.10.1.1/26' } }),
      'MalformedRoute',
    ],
    [
      'a prefix whose text and network differ',
      route('10.10.1.0/26', 'pods', { prefix: { ...prefix('10.10.1.0/26'), network: '10.10.2.0' } }),
      'MalformedRoute',
    ],
    [
      'a command in a prefix',
      route('10.10.1.0/26', 'pods', { prefix: { ...prefix('10.10.1.0/26'), text: '10.10.1.0/26\nshutdown' } }),
      'MalformedRoute',
    ],
    ['a fractional MED', route('10.10.1.0/26', 'pods', { med: 1.5 }), 'MalformedRoute'],
    ['a prepend by which it would yield', route('10.10.1.0/26', 'pods', { prepend: 8 }), 'MalformedRoute'],
    ['a community out of range', route('10.10.1.0/26', 'pods', { communities: [[65_536, 1]] }), 'MalformedRoute'],
    [
      'a next hop of the other family',
      route('10.10.1.0/26', 'pods', { nextHop: { family: 6, text: '2001:db8::1' } }),
      'NextHopFamilyMismatch',
    ],
    ['a family without a session', route('2001:db8:1::/64'), 'NoSessionForFamily'],
  ];
  it.each(cases)('%s: refused by name, the rest proceeds', (_, bad, reason) => {
    const judgement = new Guard(limits).judge([bad, route('10.10.9.0/26')], {
      families: four,
      nowMs: 0,
      confirmed: false,
    });
    expect(judgement.refusals).toMatchObject([{ action: 'announce', reason }]);
    expect(texts(judgement.target)).toEqual(['10.10.9.0/26']);
    expect(judgement.complete).toBe(true);
    expect(judgement.retryAfterMs).toBeUndefined();
  });

  it('refuses the second of two equal prefixes', () => {
    const judgement = judge(new Guard(limits), [route('10.10.1.0/26', 'pods', { med: 1 }), route('10.10.1.0/26')]);
    expect(judgement.target).toMatchObject([{ med: 1 }]);
    expect(judgement.refusals).toMatchObject([{ reason: 'DuplicatePrefix' }]);
  });

  it('withdraws what is not allowed any more', () => {
    const guard = new Guard(limits);
    guard.adopt([route('8.8.8.0/24')]);
    expect(judge(guard, [route('8.8.8.0/24')]).target).toEqual([]);
  });
});

describe('how many', () => {
  it('prefers what is announced already when there are too many', () => {
    const guard = new Guard(limits);
    judge(guard, [route('10.10.200.0/26')]);
    const { target, refusals } = judge(guard, [...pods(41), route('10.10.200.0/26')]);
    expect(target).toHaveLength(40);
    expect(texts(target)).toContain('10.10.200.0/26');
    expect(refusals).toHaveLength(2);
    expect(new Set(refusals.map(({ reason }) => reason))).toEqual(new Set(['TooManyRoutes']));
  });

  it('withdraws nothing when the maximum is lowered, and says what is too much', () => {
    let now = limits;
    const guard = new Guard(() => now);
    const eight = pods(8);
    judge(guard, eight);
    now = { ...limits, maxRoutes: 2 };
    const { target, refusals } = judge(guard, [...eight, route('10.10.200.0/26')]);
    expect(texts(target)).toEqual(texts(eight));
    expect(refusals.map(({ action, reason }) => `${action} ${reason}`).toSorted()).toEqual([
      'announce TooManyRoutes',
      ...Array.from({ length: 6 }, () => 'withdraw TooManyRoutes'),
    ]);
    expect(judge(guard, eight.slice(0, 3)).target).toHaveLength(3);
    expect(judge(guard, [...eight.slice(0, 3), route('10.10.200.0/26')]).target).toHaveLength(3);
  });

  it('announces the rest when the minute is over, and holds the end-of-RIB back until then', () => {
    const guard = new Guard({ ...limits, maxAnnouncementsPerMinute: 3 });
    const first = judge(guard, pods(5), 1000);
    expect(first.target).toHaveLength(3);
    expect(first).toMatchObject({ complete: false, retryAfterMs: 60_000 });
    expect(first.refusals.map(({ reason }) => reason)).toEqual([
      'AnnouncementRateExceeded',
      'AnnouncementRateExceeded',
    ]);
    expect(judge(guard, pods(5), 60_999).target).toHaveLength(3);
    expect(judge(guard, pods(5), 61_000)).toMatchObject({ complete: true, refusals: [] });
  });

  it('keeps the old attributes of a route that may not change yet', () => {
    const guard = new Guard({ ...limits, maxAnnouncementsPerMinute: 1 });
    judge(guard, [route('10.10.1.0/26')]);
    expect(judge(guard, [route('10.10.1.0/26', 'pods', { med: 9 })]).target[0]?.med).toBeUndefined();
  });

  it('uses up no limit to announce the same again', () => {
    const guard = new Guard({ ...limits, maxAnnouncementsPerMinute: 5 });
    for (let turn = 0; turn < 10; turn += 1) expect(judge(guard, pods(5), turn).refusals).toEqual([]);
  });

  it('keeps routes that may not be withdrawn yet', () => {
    const guard = new Guard(limits);
    guard.adopt(pods(20));
    const first = judge(guard, pods(12));
    expect(first.target).toHaveLength(15);
    expect(first.refusals.map(({ action, reason }) => `${action} ${reason}`)).toEqual(
      Array.from({ length: 3 }, () => 'withdraw WithdrawalRateExceeded'),
    );
    expect(first).toMatchObject({ complete: true, retryAfterMs: 60_000 });
    expect(judge(guard, pods(12), 60_000).target).toHaveLength(12);
  });
});

describe('a mass withdrawal', () => {
  const roomy = { ...limits, maxWithdrawalsPerMinute: 100 };

  it('waits until it was asked for without a break, then goes', () => {
    const guard = new Guard(roomy);
    guard.adopt(pods(20));
    const first = judge(guard, [], 0);
    expect(first.target).toHaveLength(20);
    expect(first.retryAfterMs).toBe(60_000);
    expect(new Set(first.refusals.map(({ reason }) => reason))).toEqual(new Set(['MassWithdrawal']));
    expect(judge(guard, [], 59_999).target).toHaveLength(20);
    expect(judge(guard, [], 60_000).target).toEqual([]);
  });

  it('is forgotten when the routes are wanted again in between', () => {
    const guard = new Guard(roomy);
    guard.adopt(pods(20));
    judge(guard, [], 0);
    judge(guard, pods(20), 30_000);
    expect(judge(guard, [], 60_000).target).toHaveLength(20);
  });

  it('goes at once when it was confirmed, whatever the limit of the minute, and uses that up', () => {
    const guard = new Guard({ ...roomy, maxWithdrawalsPerMinute: 12 });
    guard.adopt(pods(20));
    expect(judge(guard, [], 0, true)).toMatchObject({ target: [], refusals: [] });
    judge(guard, pods(3), 1000);
    expect(judge(guard, [], 2000).refusals.map(({ reason }) => reason)).toContain('WithdrawalRateExceeded');
  });

  it('does not include VIPs, however many: an unfit blade must withdraw them at once', () => {
    const guard = new Guard({ ...limits, maxWithdrawalsPerMinute: 60 });
    const vips = Array.from({ length: 12 }, (_, i) => route(`192.0.2.${i}/32`, 'vip'));
    judge(guard, [...vips, ...pods(12)]);
    const { target, refusals } = judge(guard, []);
    expect(target.map((entry) => entry.class)).toEqual(Array.from({ length: 12 }, () => 'pods'));
    expect(refusals).toHaveLength(12);
    expect(new Set(refusals.map(({ reason }) => reason))).toEqual(new Set(['MassWithdrawal']));
  });

  it('does not include what is proven to be of another server, which goes first and at once', () => {
    const guard = new Guard({ ...roomy, maxWithdrawalsPerMinute: 12 });
    guard.adopt(pods(20));
    const disproved = new Set(pods(12).map(({ prefix }) => prefix.text));
    const context = { families: new Set([4, 6] as const), nowMs: 0, confirmed: false, disproved };
    const { target, refusals } = guard.judge([], context);
    expect(target.map(({ prefix }) => prefix.text).filter((text) => disproved.has(text))).toEqual([]);
    expect(target).toHaveLength(8);
    expect(new Set(refusals.map(({ reason }) => reason))).toEqual(new Set(['WithdrawalRateExceeded']));
  });

  it('is neither one VIP nor a few routes of many', () => {
    const guard = new Guard(roomy);
    guard.adopt([route('192.0.2.10/32', 'vip')]);
    expect(judge(guard, []).target).toEqual([]);
    guard.adopt(pods(30));
    expect(judge(guard, pods(16)).refusals).toEqual([]);
  });
});

it('asks limits that are a function in every judgement', () => {
  let now = { ...limits, maxRoutes: 1, maxAnnouncementsPerMinute: 3 };
  const guard = new Guard(() => now);
  const outside = route('10.20.1.0/26');
  expect(judge(guard, [...pods(2), outside]).refusals.map(({ reason }) => reason)).toEqual([
    'TooManyRoutes',
    'PrefixOutsideSite',
  ]);
  const wider = [...limits.allowed.pods, outside.prefix];
  now = { ...now, maxRoutes: 9, maxAnnouncementsPerMinute: 9, allowed: { ...limits.allowed, pods: wider } };
  expect(judge(guard, [...pods(2), outside])).toMatchObject({ target: [{}, {}, {}], refusals: [] });
});

it('keeps its limits in any sequence of desired sets', () => {
  const texts = ['0.0.0.0/0', '8.8.8.0/24', '10.0.0.0/8', ...Array.from({ length: 50 }, (_, i) => `10.10.${i}.0/26`)];
  const request = fc.record({ routes: fc.subarray(texts), laterMs: fc.nat(90_000), confirmed: fc.boolean() });
  fc.assert(
    fc.property(fc.array(request, { maxLength: 20 }), (requests) => {
      const guard = new Guard(limits);
      const withdrawals: { readonly atMs: number; readonly count: number }[] = [];
      let held = new Set<string>();
      let nowMs = 0;
      for (const { routes, laterMs, confirmed } of requests) {
        nowMs += laterMs;
        const wanted = new Set(routes);
        const { target, refusals } = judge(
          guard,
          routes.map((text) => route(text)),
          nowMs,
          confirmed,
        );
        const next = new Set(target.map(({ prefix: { text } }) => text));
        // What was confirmed waits for no limit, and does not count.
        if (confirmed) expect([...next].filter((text) => !wanted.has(text))).toEqual([]);
        else withdrawals.push({ atMs: nowMs, count: [...held].filter((text) => !next.has(text)).length });
        const lastMinute = withdrawals.filter(({ atMs }) => atMs > nowMs - 60_000);
        expect(lastMinute.reduce((sum, { count }) => sum + count, 0)).toBeLessThanOrEqual(5);
        const isAllowed = (inner: Prefix) => limits.allowed.pods.some((outer) => contains(outer, inner));
        expect(target.filter((entry) => !isAllowed(entry.prefix))).toEqual([]);
        // Every prefix that differs from what was asked for has a refusal.
        const named = new Set(refusals.map((refusal) => refusal.prefix));
        const different = texts.filter((text) => wanted.has(text) !== next.has(text));
        expect(different.filter((text) => !named.has(text))).toEqual([]);
        held = next;
      }
    }),
    { numRuns: 50 },
  );
});
