import { describe, expect, test } from 'vitest';
import { Interpreter } from './interpreter.ts';
import type { Location, RecordSet, Routing } from './record.ts';

const name = 'www.example.net';

interface Options {
  readonly id: string;
  readonly routing: Routing;
  readonly under?: string;
  readonly healthCheck?: string;
}

const target = ({ id, routing, under = name, ...rest }: Options): RecordSet => ({
  name: under,
  type: 'A',
  setIdentifier: id,
  routing,
  target: { kind: 'values', ttlSeconds: 60, values: [id] },
  ...rest,
});
const alias = (options: Options, to: string, evaluateHealth: boolean): RecordSet => ({
  ...target(options),
  target: { kind: 'alias', name: to, evaluateHealth },
});
const weight = (value: number): Routing => ({ kind: 'weighted', weight: value });
const answers = (records: readonly RecordSet[], country: string | undefined, ...failed: readonly string[]) =>
  Object.fromEntries(
    new Interpreter(records).query({ name, type: 'A' }, (key) => !failed.includes(key)).answer(country),
  );

test('geolocation: the most specific healthy location, else the most specific one', () => {
  const at = (id: string, location: 'FR' | 'EU' | '*'): RecordSet =>
    target({
      id,
      routing: {
        kind: 'geo',
        location: location === '*' ? '*' : location === 'EU' ? { continent: 'EU' } : { country: location },
      },
      healthCheck: id,
    });
  const records = [at('star', '*'), at('europe', 'EU'), at('france', 'FR')];
  expect(answers(records, 'FR')).toEqual({ france: 1 });
  expect(answers(records, 'DE')).toEqual({ europe: 1 });
  expect(answers(records, 'JP')).toEqual({ star: 1 });
  expect(answers(records, undefined)).toEqual({ star: 1 });
  expect(answers(records, 'FR', 'france')).toEqual({ europe: 1 });
  expect(answers(records, 'FR', 'france', 'europe', 'star')).toEqual({ france: 1 });
  expect(answers(records.slice(2), 'JP')).toEqual({});
});

test('geolocation: a state before its country, and the country for a state without a record', () => {
  const at = (id: string, location: Location): RecordSet =>
    target({ id, routing: { kind: 'geo', location }, healthCheck: id });
  const records = [
    at('star', '*'),
    at('america', { continent: 'NA' }),
    at('us', { country: 'US' }),
    at('california', { state: 'US-CA' }),
  ];
  expect(answers(records, 'US-CA')).toEqual({ california: 1 });
  expect(answers(records, 'US-NY')).toEqual({ us: 1 });
  expect(answers(records, 'US')).toEqual({ us: 1 });
  expect(answers(records, 'US-CA', 'california')).toEqual({ us: 1 });
  expect(answers(records, 'US-CA', 'california', 'us')).toEqual({ america: 1 });
  expect(answers(records.slice(0, 2), 'US-CA')).toEqual({ america: 1 });
});

test('weights: among the healthy ones, those of weight 0 only when no other is, all when none is', () => {
  const records = [
    target({ id: 'a', routing: weight(30), healthCheck: 'a' }),
    target({ id: 'b', routing: weight(10), healthCheck: 'b' }),
    target({ id: 'c', routing: weight(0), healthCheck: 'c' }),
  ];
  expect(answers(records, 'FR')).toEqual({ a: 0.75, b: 0.25 });
  expect(answers(records, 'FR', 'a')).toEqual({ b: 1 });
  expect(answers(records, 'FR', 'a', 'b')).toEqual({ c: 1 });
  expect(answers(records, 'FR', 'a', 'b', 'c')).toEqual({ a: 0.75, b: 0.25 });
});

describe('failover', () => {
  const role = (value: 'PRIMARY' | 'SECONDARY'): Routing => ({ kind: 'failover', role: value });
  const leaf = (under: string) => target({ id: under, under, routing: weight(1), healthCheck: under });
  const records = [
    alias({ id: 'first', routing: role('PRIMARY') }, 'p.example.net', true),
    alias({ id: 'second', routing: role('SECONDARY') }, 's.example.net', true),
    leaf('p.example.net'),
    leaf('s.example.net'),
  ];

  test('the primary if it is healthy, else the secondary, else the primary; an alias is as healthy as its target', () => {
    expect(answers(records, 'FR')).toEqual({ 'p.example.net': 1 });
    expect(answers(records, 'FR', 'p.example.net')).toEqual({ 's.example.net': 1 });
    expect(answers(records, 'FR', 'p.example.net', 's.example.net')).toEqual({ 'p.example.net': 1 });
  });

  test('the trace names the records that decide, outermost first', () => {
    const view = new Interpreter(records).query({ name, type: 'A' }, () => true);
    expect(view.trace('FR').map(({ setIdentifier }) => setIdentifier)).toEqual(['first', 'p.example.net']);
  });
});

test('beyond three names there is no answer', () => {
  const plain = (under: string, to: string): RecordSet => ({
    name: under,
    type: 'A',
    target: { kind: 'alias', name: to, evaluateHealth: false },
  });
  const end: RecordSet = { name: 'c', type: 'A', target: { kind: 'values', ttlSeconds: 60, values: ['x'] } };
  expect(answers([plain(name, 'b'), plain('b', 'c'), end], 'FR')).toEqual({ x: 1 });
  expect(answers([plain(name, 'a'), plain('a', 'b'), plain('b', 'c'), end], 'FR')).toEqual({});
});
