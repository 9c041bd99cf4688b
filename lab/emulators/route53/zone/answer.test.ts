import { describe, expect, it } from 'vitest';
import { type AnswerContext, type Place, resolve } from './answer.ts';
import type { RecordSet, Routing } from './record.ts';
import { RecordDraft } from './table.ts';

const france: Place = { country: 'FR', continent: 'EU' };
const germany: Place = { country: 'DE', continent: 'EU' };
const japan: Place = { country: 'JP', continent: 'AS' };
const nowhere: Place = { country: undefined, continent: undefined };

/** A record, named by its first label; its set identifier is also its value. `to` makes it an alias. */
interface Short {
  readonly name: string;
  readonly id?: string;
  readonly routing?: Routing;
  readonly check?: string;
  readonly to?: string;
  readonly evaluate?: boolean;
}

function recordOf({ name, id, routing, check, to, evaluate = true }: Short): RecordSet {
  return {
    name,
    type: 'A',
    setIdentifier: id,
    routing: routing ?? { kind: 'simple' },
    ttl: to === undefined ? 60 : undefined,
    values: to === undefined ? [id ?? name] : [],
    alias: to === undefined ? undefined : { hostedZoneId: 'Z', name: to, evaluateTargetHealth: evaluate },
    healthCheckId: check,
  };
}

const country = (code: string): Routing => ({ kind: 'geolocation', location: { country: code } });
const continent = (code: 'EU' | 'AS'): Routing => ({ kind: 'geolocation', location: { continent: code } });
const weight = (value: number): Routing => ({ kind: 'weighted', weight: value });
const primary: Routing = { kind: 'failover', role: 'PRIMARY' };
const secondary: Routing = { kind: 'failover', role: 'SECONDARY' };

function answer(
  records: readonly Short[],
  place: Place,
  failed: readonly string[] = [],
  random = 0,
  location?: string,
) {
  const table = new RecordDraft();
  for (const record of records) table.put(recordOf(record));
  const context: AnswerContext = {
    table,
    place,
    locationIn: () => location,
    isHealthy: (id) => !failed.includes(id),
    random: () => random,
  };
  const result = resolve('www', 'A', context);
  return result === undefined ? 'no record' : (result.leaf?.values[0] ?? 'no answer');
}

describe('a CIDR collection', () => {
  const cidr = (location: string): Routing => ({ kind: 'cidr', collectionId: 'c', location });
  const records: readonly Short[] = [
    { name: 'www', id: 'office', routing: cidr('office'), check: 'office' },
    { name: 'www', id: 'rest', routing: cidr('*'), to: 'geo', check: 'rest' },
    { name: 'geo', id: 'fr', routing: country('FR') },
    { name: 'geo', id: 'star', routing: country('*') },
  ];
  const from = (location: string | undefined, place: Place = nowhere, failed: readonly string[] = []) =>
    answer(records, place, failed, 0, location);

  it('answers a client by its location, and all others by *, which may lead to geolocation', () => {
    expect(from('office', france)).toBe('office');
    expect([from(undefined, france), from(undefined, japan), from('unnamed')]).toEqual(['fr', 'star', 'star']);
  });

  it('goes on to * when the location is unhealthy, and back to it when that is too', () => {
    expect(from('office', france, ['office'])).toBe('fr');
    expect(from('office', france, ['office', 'rest'])).toBe('office');
  });

  it('has no answer for a client in no location where there is no *', () => {
    expect(answer(records.slice(0, 1), france)).toBe('no answer');
  });
});

describe('geolocation of a state', () => {
  const state = (code: string): Routing => ({ kind: 'geolocation', location: { country: 'US', subdivision: code } });
  const records: readonly Short[] = [
    { name: 'www', id: 'star', routing: country('*') },
    { name: 'www', id: 'us', routing: country('US'), check: 'us' },
    { name: 'www', id: 'ca', routing: state('CA'), check: 'ca' },
  ];
  const inState = (subdivision?: string): Place => ({ country: 'US', continent: 'NA', subdivision });

  it('is its own record, then that of its country, then everywhere', () => {
    expect(answer(records, inState('CA'))).toBe('ca');
    expect(answer(records, inState('NY'))).toBe('us');
    expect(answer(records, inState())).toBe('us');
    expect(answer(records, inState('CA'), ['ca'])).toBe('us');
    expect(answer(records, inState('CA'), ['ca', 'us'])).toBe('star');
    expect(answer(records, { country: 'CA', continent: 'NA' })).toBe('star');
  });
});

describe('geolocation', () => {
  const records: readonly Short[] = [
    { name: 'www', id: 'fr', routing: country('FR'), check: 'fr' },
    { name: 'www', id: 'eu', routing: continent('EU'), check: 'eu' },
    { name: 'www', id: 'world', routing: country('*'), check: 'world' },
  ];
  it.each([
    ['country before continent', france, [], 'fr'],
    ['continent', germany, [], 'eu'],
    ['the rest of the world', japan, [], 'world'],
    ['an address that no data knows', nowhere, [], 'world'],
    ['an unhealthy country: the continent', france, ['fr'], 'eu'],
    ['unhealthy country and continent: the world', france, ['fr', 'eu'], 'world'],
    ['nothing healthy: the smallest region', france, ['fr', 'eu', 'world'], 'fr'],
    ['never a smaller region than the place is in', japan, ['world'], 'world'],
  ] as const)('%s', (_, place, failed, expected) => {
    expect(answer(records, place, failed)).toBe(expected);
  });

  it('answers nothing where no record is for the place', () => {
    expect(answer(records.slice(0, 2), japan)).toBe('no answer');
  });

  it('stops climbing at a record without a health check', () => {
    const always = records.map(
      ({ name, id, routing }): Short => ({ name, id: id ?? '', routing: routing ?? weight(0) }),
    );
    expect(answer(always, france, ['fr', 'eu', 'world'])).toBe('fr');
  });
});

describe('weighted', () => {
  const records: readonly Short[] = [
    { name: 'www', id: 'a', routing: weight(70), check: 'a' },
    { name: 'www', id: 'b', routing: weight(30), check: 'b' },
    { name: 'www', id: 'spare', routing: weight(0), check: 'spare' },
  ];
  it.each([
    ['the first 70 %', [], 0.69, 'a'],
    ['the next 30 %', [], 0.7, 'b'],
    ['only healthy ones', ['a'], 0.1, 'b'],
    ['weight 0 when all others are unhealthy', ['a', 'b'], 0.5, 'spare'],
    ['nothing healthy: as if all were, the zero ones not', ['a', 'b', 'spare'], 0.69, 'a'],
    ['an unhealthy spare', ['a', 'spare'], 0.99, 'b'],
  ] as const)('%s', (_, failed, random, expected) => {
    expect(answer(records, nowhere, failed, random)).toBe(expected);
  });

  it('gives all of weight 0 the same share', () => {
    const zeros = records.map((record) => ({ ...record, routing: weight(0) }));
    expect([0.1, 0.5, 0.9].map((random) => answer(zeros, nowhere, [], random))).toEqual(['a', 'b', 'spare']);
  });
});

describe('failover', () => {
  const records: readonly Short[] = [
    { name: 'www', id: 'p', routing: primary, check: 'p' },
    { name: 'www', id: 's', routing: secondary, check: 's' },
  ];
  it.each([
    ['primary', [], 'p'],
    ['secondary when the primary is unhealthy', ['p'], 's'],
    ['primary when both are', ['p', 's'], 'p'],
    ['primary when only the secondary is', ['s'], 'p'],
  ] as const)('%s', (_, failed, expected) => {
    expect(answer(records, nowhere, failed)).toBe(expected);
  });

  it('makes do with one record', () => {
    expect(answer(records.slice(0, 1), nowhere, ['p'])).toBe('p');
    expect(answer(records.slice(1), nowhere)).toBe('s');
  });
});

describe('aliases', () => {
  const tree = (evaluate: boolean): readonly Short[] => [
    { name: 'www', id: 'fr', routing: country('FR'), to: 'fo', evaluate },
    { name: 'www', id: 'world', routing: country('*') },
    { name: 'fo', id: 'first', routing: primary, to: 'pool' },
    { name: 'fo', id: 'cloud', routing: secondary, check: 'cloud' },
    { name: 'pool', id: 'blade-1', routing: weight(1), check: 'blade-1' },
    { name: 'pool', id: 'blade-2', routing: weight(1), check: 'blade-2' },
  ];
  it.each([
    ['down to the leaf', [], 0, 'blade-1'],
    ['another leaf of the group', ['blade-1'], 0, 'blade-2'],
    ['a group without healthy records fails over', ['blade-1', 'blade-2'], 0, 'cloud'],
    ['a tree without healthy records climbs to the larger region', ['blade-1', 'blade-2', 'cloud'], 0, 'world'],
  ] as const)('%s', (_, failed, random, expected) => {
    expect(answer(tree(true), france, failed, random)).toBe(expected);
  });

  it('without EvaluateTargetHealth keeps the branch, and its primary, whatever happens', () => {
    expect(answer(tree(false), france, ['blade-1', 'blade-2', 'cloud'])).toBe('blade-1');
  });

  it('an unhealthy check on the alias itself kills the branch', () => {
    const records = tree(false).map((record) => (record.id === 'fr' ? { ...record, check: 'own' } : record));
    expect(answer(records, france, ['own'])).toBe('world');
  });

  it('says that there is no such record', () => {
    expect(answer([], france)).toBe('no record');
  });
});

describe('routings of others', () => {
  const region = (name: string): Routing => ({ kind: 'latency', region: name });
  it('latency: the first healthy region', () => {
    const records: readonly Short[] = [
      { name: 'www', id: 'us', routing: region('us-east-1'), check: 'us' },
      { name: 'www', id: 'eu', routing: region('eu-west-1'), check: 'eu' },
    ];
    expect([answer(records, france), answer(records, france, ['eu']), answer(records, france, ['eu', 'us'])]).toEqual([
      'eu',
      'us',
      'eu',
    ]);
  });

  it('multivalue: the healthy ones together, at most eight; all when none is healthy', () => {
    const valuesWhile = (failed: readonly string[], count: number) => {
      const table = new RecordDraft();
      for (let index = 0; index < count; index += 1)
        table.put(recordOf({ name: 'www', id: `${index}`, routing: { kind: 'multivalue' }, check: `${index}` }));
      const isHealthy = (id: string) => !failed.includes(id);
      return resolve('www', 'A', { table, place: france, locationIn: () => undefined, isHealthy, random: () => 0 })
        ?.leaf?.values;
    };
    expect(valuesWhile(['1'], 3)).toEqual(['0', '2']);
    expect(valuesWhile(['0', '1'], 2)).toEqual(['0', '1']);
    expect(valuesWhile([], 12)).toHaveLength(8);
  });
});
