import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { policy as policyOf, twoSites } from '../../test/support/platform.ts';
import { policySpecWithStates } from '../../test/support/steering/arbitrary.ts';
import { guarded, overlaid, overlay, overlayNowMs, proposing, verdict } from '../../test/support/steering/overlays.ts';
import { countries } from '../model/geo/countries.ts';
import { states } from '../model/geo/states.ts';
import { decidingOverlay, overlayMoments, withOverlays } from '../model/platform/overlays.ts';
import { clustersOfPolicy, forbiddenClusters } from '../model/platform/policies.ts';
import type { TrafficPolicy } from '../model/spec/kinds.ts';
import type { Platform } from '../model/spec/platform.ts';
import { answersOf, formatTiers, preferenceOf } from './answers.ts';

const plain = twoSites();
const automatic = guarded(plain, { proposals: 'automatic' });
const video = (platform: Platform): TrafficPolicy => platform.policies.get('video') ?? policyOf('video', {});
const order = (platform: Platform, country: string): string =>
  formatTiers(preferenceOf(answersOf(video(platform), new Set()), country).tiers);
const view = (platform: Platform) => platform.overlaid?.[0];

test('without overlays the platform is the same object', () => {
  expect(withOverlays(plain, overlayNowMs)).toBe(plain);
});

test('an overlay that is in force answers its countries, and no others', () => {
  const laid = overlaid(automatic, [overlay()]);
  expect([order(laid, 'FR'), order(laid, 'AQ'), order(laid, 'DE')]).toEqual([
    'cloud > two-sites',
    order(automatic, 'AQ'),
    order(automatic, 'DE'),
  ]);
  expect(clustersOfPolicy(video(laid))).toEqual(clustersOfPolicy(video(automatic)));
  expect(view(laid)).toMatchObject({ name: 'evening', state: 'in force', countries: ['FR'], trouble: [] });
  expect(decidingOverlay(laid, 'video', 'FR')?.name).toBe('evening');
  expect(decidingOverlay(laid, 'video', 'DE')).toBeUndefined();
  expect(withOverlays(laid, overlayNowMs)).toBe(laid);
});

test('a continent of an overlay beats a country of the policy', () => {
  const rules = [{ continents: ['EU'], clusters: [{ name: 'cloud' }] }];
  const laid = overlaid(automatic, [overlay({ rules })]);
  expect(order(laid, 'FR')).toBe('cloud > two-sites');
  // The policy says the same of them already.
  expect(view(laid)?.countries).toEqual(['FR']);
});

test('a country of an overlay beats a state of the policy, and a state of an overlay its country', () => {
  const spec = {
    ...video(automatic).spec,
    rules: [
      { countries: ['US-CA', 'US-NY'], continents: [], clusters: [{ name: 'two-sites', weight: 1 }], failover: [] },
    ],
    default: { clusters: [{ name: 'cloud', weight: 1 }], failover: [] },
  };
  const platform = { ...automatic, policies: new Map([['video', { ...video(automatic), spec }]]) };
  const laid = (...rules: readonly object[]) => overlaid(platform, [overlay({ rules })]);
  const cloud = { clusters: [{ name: 'cloud', weight: 1 }] };
  const sites = { clusters: [{ name: 'two-sites', weight: 1 }] };
  const orders = (one: Platform) => ['US', 'US-CA', 'US-NY', 'US-TX'].map((code) => order(one, code).split(' ')[0]);
  expect(orders(platform)).toEqual(['cloud', 'two-sites', 'two-sites', 'cloud']);
  expect(orders(laid({ countries: ['US'], ...cloud }))).toEqual(['cloud', 'cloud', 'cloud', 'cloud']);
  const whole = laid({ countries: ['US'], ...sites });
  expect(orders(whole)).toEqual(Array(4).fill('two-sites'));
  expect(view(whole)?.countries).toEqual(['US']);
  expect(decidingOverlay(whole, 'video', 'US-TX')?.name).toBe('evening');
  expect(decidingOverlay(whole, 'video', 'US-CA')).toBeUndefined();
  const apart = laid({ countries: ['US'], ...sites }, { countries: ['US-TX'], ...cloud });
  expect(orders(apart)).toEqual(['two-sites', 'two-sites', 'two-sites', 'cloud']);
  expect(view(laid({ countries: ['US-TX'], ...cloud }))?.state).toBe('equal');
});

describe('whose word counts', () => {
  const evening = overlay();
  const state = (platform: Platform) => [view(platform)?.state, view(platform)?.trouble, order(platform, 'FR')];
  const asWritten = order(plain, 'FR');

  test('a policy that does not say so wants a person', () => {
    expect(state(overlaid(plain, [evening]))).toEqual(['proposed', [], asWritten]);
    expect(state(overlaid(plain, [evening, verdict(evening)]))).toEqual(['in force', [], 'cloud > two-sites']);
  });

  test('what was approved stays while a changed one waits', () => {
    const changed = overlay({ rules: [{ countries: ['FR', 'DE'], clusters: [{ name: 'two-sites' }] }] });
    const laid = overlaid(plain, [changed, verdict(evening)]);
    expect(state(laid)).toEqual(['in force', ['changed'], 'cloud > two-sites']);
    expect(order(laid, 'DE')).toBe(order(plain, 'DE'));
  });

  test('an owner who renews changes nothing of what was approved', () => {
    const renewed = overlay({ renewed: '2026-11-27T15:59:00Z', reason: 'still' });
    expect(state(overlaid(plain, [renewed, verdict(evening)]))).toEqual(['in force', [], 'cloud > two-sites']);
  });

  test('the newest word counts, and a rejection only of what it is about', () => {
    const rejected = verdict(evening, { verdict: 'reject', at: '2026-11-27T15:30:00Z' }, 'later');
    const both = [verdict(evening), rejected];
    expect(state(overlaid(automatic, [evening, ...both]))).toEqual(['rejected', [], asWritten]);
    const changed = overlay({ owner: 'other' });
    expect(state(overlaid(plain, [changed, ...both]))).toEqual(['proposed', [], asWritten]);
  });

  test('where the policy wants four eyes, the word of the owner does not count', () => {
    const four = guarded(plain, { approvers: 'other' });
    const own = verdict(evening, { by: 'optimiser' });
    expect(state(overlaid(four, [evening, own]))).toEqual(['proposed', ['own word'], asWritten]);
    expect(state(overlaid(plain, [evening, own]))).toEqual(['in force', [], 'cloud > two-sites']);
  });
});

describe('with time', () => {
  const late = Date.parse('2026-11-28T00:00:00Z');

  test('what has expired stays in force and is named, unless it is to return', () => {
    expect(view(overlaid(automatic, [overlay()], late - 1))).toMatchObject({ state: 'in force', trouble: [] });
    const stays = overlaid(automatic, [overlay()], late);
    expect([view(stays)?.state, view(stays)?.trouble, order(stays, 'FR')]).toEqual([
      'in force',
      ['expired'],
      'cloud > two-sites',
    ]);
    const returns = overlaid(automatic, [overlay({ afterwards: 'return' })], late);
    expect([view(returns)?.state, order(returns, 'FR')]).toEqual(['returned', order(plain, 'FR')]);
    expect(view(returns)?.countries).toEqual(['FR']);
  });

  test('one whose owner is silent stays in force and is named', () => {
    const renewed = overlay({ renewed: '2026-11-27T15:00:00Z', silentAfterMinutes: 60, afterwards: 'return' });
    expect(view(overlaid(automatic, [renewed], overlayNowMs - 1))?.trouble).toEqual([]);
    expect(view(overlaid(automatic, [renewed], overlayNowMs))).toMatchObject({
      state: 'in force',
      trouble: ['silent'],
    });
    expect(overlayMoments(proposing(automatic, renewed))).toEqual([late, overlayNowMs]);
  });
});

describe('what a policy does not allow is passed over', () => {
  test.each([
    [{ rules: [{ countries: ['FR'], clusters: [{ name: 'tokyo' }] }] }, 'there is no cluster tokyo'],
    [{ policy: 'gone' }, 'there is no policy gone'],
  ])('%j', (change, why) => {
    const laid = overlaid(automatic, [overlay(change)]);
    expect(view(laid)).toMatchObject({ state: 'broken', countries: [], broken: [{ countries: ['FR'], why }] });
    expect(laid.policies).toEqual(automatic.policies);
  });

  test('only for the countries that it forbids', () => {
    const never = [{ clusters: ['cloud'], countries: ['FR'], continents: [], unknownLocation: false }];
    const kept = { ...video(automatic), spec: { ...video(automatic).spec, never } };
    const platform = { ...automatic, policies: new Map([['video', kept]]) };
    const rules = [{ countries: ['FR'], continents: ['AN'], clusters: [{ name: 'cloud' }] }];
    const laid = overlaid(platform, [overlay({ rules })]);
    expect([order(laid, 'FR'), order(laid, 'AQ')]).toEqual(['two-sites', 'cloud > two-sites']);
    expect(view(laid)).toMatchObject({
      state: 'in force',
      broken: [{ countries: ['FR'], why: 'spec.never of the policy forbids them cloud' }],
    });
  });

  test('one that says what the policy says is dropped', () => {
    const rules = [{ countries: ['FR'], clusters: [{ name: 'two-sites' }], failover: ['cloud'] }];
    const laid = overlaid(automatic, [overlay({ rules })]);
    expect(view(laid)).toMatchObject({ state: 'equal', countries: [], broken: [] });
    expect(laid.policies.get('video')).toBe(automatic.policies.get('video'));
  });

  test('what an earlier overlay decides', () => {
    const rules = [{ countries: ['FR', 'AQ'], clusters: [{ name: 'cloud' }] }];
    const laid = overlaid(automatic, [overlay(), overlay({ rules }, 'later')]);
    expect(laid.overlaid?.map(({ countries: some }) => some)).toEqual([['FR'], ['AQ']]);
  });
});

test('no overlay leads a country where never forbids it, takes a cluster away or moves others', () => {
  const names = ['amsterdam', 'berlin', 'cairo', 'delhi', 'essen', 'nowhere'];
  const name = fc.constantFrom(...names);
  const rule = fc.record({
    countries: fc.subarray(
      [...countries.filter((_, at) => at % 4 === 0), { code: 'US' }, ...states].map(({ code }) => code),
      { maxLength: 12 },
    ),
    continents: fc.subarray(['AF', 'EU', 'AS'] as const, { maxLength: 2 }),
    clusters: fc.uniqueArray(fc.record({ name, weight: fc.integer({ min: 0, max: 3 }) }), {
      minLength: 1,
      maxLength: 3,
      selector: (one) => one.name,
    }),
    failover: fc.uniqueArray(name, { maxLength: 2 }),
  });
  const rules = fc.array(rule, { minLength: 1, maxLength: 4 });
  const clusters = new Map(
    names
      .slice(0, 5)
      .flatMap((one) => [...plain.clusters.values()].slice(0, 1).map((cluster) => [one, cluster] as const)),
  );
  fc.assert(
    fc.property(policySpecWithStates, fc.array(rules, { maxLength: 3 }), (answers, all) => {
      const written = { ...video(automatic), spec: { ...video(automatic).spec, ...answers } };
      const platform = { ...automatic, clusters, policies: new Map([['video', written]]) };
      const laid = overlaid(
        platform,
        all.map((some, index) => {
          const one = overlay({}, `o${index}`);
          return { ...one, spec: { ...one.spec, rules: some } };
        }),
      );
      const [before, after] = [answersOf(written, new Set()), answersOf(video(laid), new Set())];
      const forbidden = forbiddenClusters(written.spec);
      expect(clustersOfPolicy(video(laid))).toEqual(clustersOfPolicy(written));
      expect(formatTiers(after.unknown.tiers)).toBe(formatTiers(before.unknown.tiers));
      for (const [code, { tiers, never }] of after.byCountry) {
        const named = tiers.flat().map((one) => one.name);
        expect(named.filter((one) => forbidden.get(code)?.has(one) === true)).toEqual([]);
        expect(never).toEqual(preferenceOf(before, code).never);
        if (decidingOverlay(laid, 'video', code) === undefined)
          expect(formatTiers(tiers)).toBe(formatTiers(preferenceOf(before, code).tiers));
      }
    }),
    { numRuns: 200 },
  );
});
