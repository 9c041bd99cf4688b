import { expect, test } from 'vitest';
import { formatRecord, type RecordSet } from '../../../answers/record.ts';
import {
  emptyRegistry,
  findRegistry,
  finishedRegistry,
  isDrifted,
  isOwned,
  nextGeneration,
  ownedName,
  readRegistry,
  refuseTooManyHosts,
  registryRecord,
  unfinishedRegistry,
} from './registry.ts';

const zone = 'example.net';
const hosts = ['www.example.net', 'api.example.net'];
const record = (name: string, type: string, ...values: readonly string[]): RecordSet => ({
  name,
  type,
  target: { kind: 'values', ttlSeconds: 60, values },
});

test('what is written is read again, whatever order the provider returns the values in', () => {
  const registry = finishedRegistry(
    nextGeneration(emptyRegistry),
    [record('www.example.net', 'A', '192.0.2.1')],
    hosts,
  );
  const written = registryRecord(zone, registry);
  expect(written.name).toBe('_tideline.example.net');
  expect(findRegistry(zone, [record('_tideline.example.net', 'A', 'x'), written])).toBe(written);
  expect(readRegistry(written)).toEqual({ ...registry, generation: 1, hosts: hosts.toSorted() });
  const values = written.target.kind === 'values' ? written.target.values.toReversed() : [];
  const returned = record('_tideline.example.net', 'TXT', ...values);
  expect(readRegistry(returned)).toEqual(readRegistry(written));
  expect(formatRecord(returned)).toBe(formatRecord(written));
});

test('a record in another form is refused', () => {
  expect(() => readRegistry(record('_tideline.example.net', 'TXT', '"v=2"'))).toThrow(
    /^_tideline\.example\.net TXT is not a generation record; .* \(UnreadableRegistry\)$/,
  );
});

test('names below the registry are ours, and so are the answers of the hosts that it lists', () => {
  const registry = unfinishedRegistry(3, hosts);
  const answering = new Set(['A']);
  const owned = (name: string, type: string) => isOwned(record(name, type), zone, registry, answering);
  expect(owned(ownedName(zone, 'mix-1', 'video'), 'TXT')).toBe(true);
  expect(owned('www.example.net', 'A')).toBe(true);
  expect(owned('www.example.net', 'TXT')).toBe(false);
  expect(owned('mail.example.net', 'A')).toBe(false);
  expect(owned('x_tideline.example.net', 'A')).toBe(false);
});

test('drift is known only of a plan that was finished', () => {
  const records = [record('www.example.net', 'A', '192.0.2.1')];
  const changed = [record('www.example.net', 'A', '192.0.2.9')];
  expect(isDrifted(finishedRegistry(1, records, hosts), records)).toBe(false);
  expect(isDrifted(finishedRegistry(1, records, hosts), changed)).toBe(true);
  expect(isDrifted(unfinishedRegistry(1, hosts), changed)).toBe(false);
  expect(isDrifted(emptyRegistry, changed)).toBe(false);
});

test('one value is the head, the others are hosts', () => {
  expect(() => refuseTooManyHosts(zone, 399, 400)).not.toThrow();
  expect(() => refuseTooManyHosts(zone, 400, 400)).toThrow('its generation record holds 399 (TooManyRecords)');
});
