import { describe, expect, test } from 'vitest';
import { policyOf } from '../../test/support/steering/policies.ts';
import { countriesOf } from '../model/geo/countries.ts';
import { answersFor, answersOf, formatTiers, neverGroups, preferenceOf, preferencesWithin } from './answers.ts';
import type { Hold } from './hold.ts';

const policy = policyOf(`
rules:
  - { continents: [EU], clusters: [{ name: paris }], failover: [cloud] }
  - { countries: [GB], clusters: [{ name: paris, weight: 70 }, { name: newyork, weight: 30 }], failover: [cloud] }
  - { countries: [GB, IE], clusters: [{ name: newyork }, { name: paris, weight: 0 }] }
default: { clusters: [{ name: cloud }], failover: [paris, newyork] }
`);
const tiers = (country: string | undefined, drained: readonly string[] = []) =>
  formatTiers(preferenceOf(answersOf(policy, new Set(drained)), country).tiers);
const shares = (country: string, failed: readonly string[]) =>
  Object.fromEntries(answersFor(preferenceOf(answersOf(policy, new Set()), country).tiers, new Set(failed)));

test('a country rule beats a continent rule, the first of two rules counts, the default takes the rest', () => {
  expect(tiers('FR')).toBe('paris > cloud > newyork');
  expect(tiers('GB')).toBe('newyork:30,paris:70 > cloud');
  expect(tiers('IE')).toBe('newyork > paris > cloud');
  expect(tiers('JP')).toBe('cloud > paris > newyork');
  expect(preferenceOf(answersOf(policy, new Set()), 'GB').rule).toBe('rules[1] (country)');
  expect(preferenceOf(answersOf(policy, new Set()), 'FR').rule).toBe('rules[0] (continent)');
});

test('a state beats its country, and users of any other state are answered as their country', () => {
  const states = policyOf(`
rules:
  - { countries: [US-CA, US-NY], clusters: [{ name: newyork }] }
  - { continents: [NA], clusters: [{ name: paris }] }
default: { clusters: [{ name: cloud }] }
never:
  - { clusters: [cloud], countries: [US] }
  - { clusters: [paris], countries: [US-NY, US-TX] }
`);
  const answers = answersOf(states, new Set());
  const of = (place: string) => {
    const { tiers: order, rule, never } = preferenceOf(answers, place);
    return [formatTiers(order), rule, ...never];
  };
  expect(of('US-CA')).toEqual(['newyork > paris', 'rules[0] (state)', 'cloud']);
  expect(of('US-NY')).toEqual(['newyork', 'rules[0] (state)', 'cloud', 'paris']);
  expect(of('US-TX')).toEqual(['newyork', 'rules[1] (continent)', 'cloud', 'paris']);
  expect(of('US-WA')).toEqual(of('US'));
  expect(of('US')).toEqual(['paris > newyork', 'rules[1] (continent)', 'cloud']);
  expect([...answers.byCountry.keys()].slice(246)).toEqual(['US-CA', 'US-NY', 'US-TX']);
  expect(preferencesWithin(answers, 'US').map(({ tiers: order }) => formatTiers(order))).toEqual([
    'paris > newyork',
    'newyork > paris',
    'newyork',
    'newyork',
  ]);
  expect(preferencesWithin(answers, 'US-CA')).toEqual([preferenceOf(answers, 'US-CA')]);
  expect(preferencesWithin(answers, undefined)).toEqual([answers.unknown]);
});

test('a network beats all else, and never reaches what any users never reach', () => {
  const networks = policyOf(`
rules:
  - { countries: [FR], networks: [198.51.100.0/24], clusters: [{ name: paris }], failover: [cloud] }
  - { networks: ["2001:DB8::/32"], clusters: [{ name: newyork }, { name: paris, weight: 0 }] }
default: { clusters: [{ name: cloud }] }
never: [{ clusters: [cloud], continents: [AS] }, { clusters: [tokyo], unknownLocation: true }]
`);
  const of = (place: string, held: readonly Hold[] = []) => {
    const { tiers: order, rule, never } = preferenceOf(answersOf(networks, new Set(), held), place);
    return [formatTiers(order), rule, ...never];
  };
  expect(of('198.51.100.0/24')).toEqual(['paris > newyork', 'rules[0] (network)', 'cloud', 'tokyo']);
  expect(of('2001:db8::/32')).toEqual(['newyork > paris', 'rules[1] (network)', 'cloud', 'tokyo']);
  expect(of('FR')).toEqual(['paris > cloud > newyork', 'rules[0] (country)']);
  expect([...answersOf(networks, new Set()).byCountry.keys()].slice(246)).toEqual(['198.51.100.0/24', '2001:db8::/32']);
  // They return when all countries have, with users of unknown location.
  const hold = (upTo: string): Hold => ({ cluster: 'paris', sinceMs: 0, by: 'a', healthySeconds: 0, back: { upTo } });
  expect(of('198.51.100.0/24', [hold('ZW')])[0]).toBe('newyork > paris');
  expect(of('FR', [hold('ZW')])[0]).toBe('paris > cloud > newyork');
  expect(of('198.51.100.0/24', [hold('')])[0]).toBe('paris > newyork');
});

test('unknown and unlisted locations get the default', () => {
  expect(tiers(undefined)).toBe(tiers('JP'));
  expect(tiers('ZZ')).toBe(tiers('JP'));
  expect(answersOf(policy, new Set()).byCountry.size).toBe(246);
});

test('a drained cluster answers only when nothing else is left', () => {
  expect(tiers('FR', ['paris'])).toBe('cloud > newyork > paris');
  expect(tiers('GB', ['paris'])).toBe('newyork > cloud > paris');
  expect(tiers('GB', ['paris', 'newyork', 'cloud'])).toBe('newyork:30,paris:70 > cloud');
});

test('the first tier with a healthy cluster answers; when nothing is healthy the first tier answers with all its clusters', () => {
  expect(shares('GB', [])).toEqual({ newyork: 0.3, paris: 0.7 });
  expect(shares('GB', ['paris'])).toEqual({ newyork: 1 });
  expect(shares('GB', ['paris', 'newyork'])).toEqual({ cloud: 1 });
  expect(shares('GB', ['paris', 'newyork', 'cloud'])).toEqual({ newyork: 0.3, paris: 0.7 });
});

describe('never', () => {
  const kept = policyOf(`
rules:
  - { continents: [EU], clusters: [{ name: paris }], failover: [cloud] }
  - { countries: [GB], clusters: [{ name: newyork }, { name: cloud, weight: 0 }], failover: [paris] }
default: { clusters: [{ name: newyork }], failover: [paris] }
never:
  - { clusters: [cloud, elsewhere], countries: [FR, GB] }
  - { clusters: [newyork], countries: [FR, DE] }
  - { clusters: [paris], continents: [AS], unknownLocation: true }
`);
  const answers = answersOf(kept, new Set());
  const of = (country: string | undefined) => formatTiers(preferenceOf(answers, country).tiers);

  test('takes clusters out of the order, of lists and of what is appended, whichever rule decides', () => {
    expect(of('IT')).toBe('paris > cloud > newyork');
    expect(of('DE')).toBe('paris > cloud');
    expect(of('FR')).toBe('paris');
    expect(of('GB')).toBe('newyork > paris');
    expect(of('JP')).toBe('newyork > cloud');
    expect(of(undefined)).toBe('newyork > cloud');
    expect(of('US')).toBe('newyork > paris > cloud');
  });

  test('names whom a policy keeps from what, users of unknown location as ""', () => {
    expect(preferenceOf(answers, 'FR').never).toEqual(['cloud', 'elsewhere', 'newyork']);
    const groups = neverGroups(answers).map(({ clusters, countries }) => [clusters.join(), countries.length]);
    expect(groups).toEqual([
      ['paris', 1 + countriesOf('AS').length],
      ['newyork', 1],
      ['cloud,elsewhere,newyork', 1],
      ['cloud,elsewhere', 1],
    ]);
  });

  test('holds when all that a country may reach is down or drained: the last allowed cluster answers', () => {
    for (const failed of [['paris'], ['paris', 'newyork', 'cloud']])
      expect([...answersFor(preferenceOf(answers, 'FR').tiers, new Set(failed)).keys()]).toEqual(['paris']);
    expect(formatTiers(preferenceOf(answersOf(kept, new Set(['paris'])), 'FR').tiers)).toBe('paris');
    expect(formatTiers(preferenceOf(answersOf(kept, new Set(['paris'])), 'DE').tiers)).toBe('cloud > paris');
  });
});

test('a share goes to its own failover before the others take it over, and what is drained is taken out of it', () => {
  const shared = policyOf(`
rules: []
default:
  clusters: [{ name: paris, weight: 7, failover: [cloud] }, { name: newyork, weight: 3, failover: [paris, cloud] }]
  failover: [tokyo]
`);
  const order = (...drained: readonly string[]) =>
    formatTiers(preferenceOf(answersOf(shared, new Set(drained)), 'FR').tiers);
  const answer = (...failed: readonly string[]) =>
    Object.fromEntries(answersFor(preferenceOf(answersOf(shared, new Set()), 'FR').tiers, new Set(failed)));
  expect(order()).toBe('newyork:3(paris > cloud),paris:7(cloud) > tokyo');
  expect(order('paris')).toBe('cloud:7,newyork:3(cloud) > tokyo > paris');
  expect(order('paris', 'newyork')).toBe('cloud > tokyo > newyork:3,paris:7');
  expect(answer()).toEqual({ newyork: 0.3, paris: 0.7 });
  expect(answer('newyork')).toEqual({ paris: 1 });
  expect(answer('paris')).toEqual({ cloud: 0.7, newyork: 0.3 });
  expect(answer('paris', 'newyork', 'cloud')).toEqual({ tokyo: 1 });
  expect(answer('paris', 'newyork', 'cloud', 'tokyo')).toEqual({ newyork: 0.3, paris: 0.7 });
});
