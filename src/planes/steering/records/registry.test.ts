import { expect, test } from 'vitest';
import { formatRecord, type RecordSet } from '../../../answers/record.ts';
import { hostRecord } from './host-records.ts';
import {
  emptyRegistry,
  findRegistry,
  finishedHead,
  isDrifted,
  nextGeneration,
  ownedName,
  ownership,
  registryOf,
  registryRecord,
  unfinishedHead,
} from './registry.ts';

const zone = 'example.net';
const hosts = ['www.example.net', 'api.example.net'];
const record = (name: string, type: string, ...values: readonly string[]): RecordSet => ({
  name,
  type,
  target: { kind: 'values', ttlSeconds: 60, values },
});

const answering = new Set(['A']);

test('what is written is read again, whatever order the provider returns the values in', () => {
  const head = finishedHead(
    nextGeneration(emptyRegistry),
    [record('www.example.net', 'A', '192.0.2.1')],
    [{ name: 'abc', atSeconds: 7 }],
  );
  const written = registryRecord(zone, head);
  expect(written.name).toBe('_tideline.example.net');
  expect(findRegistry(zone, [record('_tideline.example.net', 'A', 'x'), written])).toBe(written);
  const hostRecords = hosts.map((host) => hostRecord(zone, host));
  const read = registryOf(zone, [written, ...hostRecords]);
  expect(read).toMatchObject({ ...head, generation: 1, hosts: hosts.toSorted(), listed: [] });
  const values = written.target.kind === 'values' ? written.target.values.toReversed() : [];
  const returned = record('_tideline.example.net', 'TXT', ...values);
  expect(registryOf(zone, [...hostRecords, returned])).toEqual(read);
  expect(formatRecord(returned)).toBe(formatRecord(written));
});

test('a record of a release that had no host records lists its hosts', () => {
  const written = record(
    '_tideline.example.net',
    'TXT',
    '"tideline v=1 generation=4 digest=abc"',
    '"host=b.example.net"',
  );
  const read = registryOf(zone, [written, hostRecord(zone, 'a.example.net')]);
  expect(read).toMatchObject({ generation: 4, hosts: ['a.example.net', 'b.example.net'], listed: ['b.example.net'] });
});

test('a record in another form is refused, and so is a zone that lost it', () => {
  expect(() => registryOf(zone, [record('_tideline.example.net', 'TXT', '"v=2"')])).toThrow(
    /^_tideline\.example\.net TXT is not a generation record; .* \(UnreadableRegistry\)$/,
  );
  expect(() => registryOf(zone, [hostRecord(zone, 'www.example.net')])).toThrow(
    /^_tideline\.example\.net TXT is gone, though hosts of ours are left; .* \(UnreadableRegistry\)$/,
  );
  expect(registryOf(zone, [])).toEqual(emptyRegistry);
});

test('a host record whose name and value are not of one host says nothing', () => {
  const head = registryRecord(zone, unfinishedHead(3));
  const { name } = hostRecord(zone, 'www.example.net');
  const wrong = record(name, 'TXT', '"mail.example.net"');
  expect(registryOf(zone, [head, wrong])).toMatchObject({ hosts: [], hostRecords: { unreadable: [wrong] } });
});

test('names below the registry are ours, and so are the answers of its hosts, but neither notes nor host records', () => {
  const isOurs = ownership(zone, { hosts }, answering);
  const owned = (name: string, type: string) => isOurs(record(name, type));
  expect(owned(ownedName(zone, 'mix-1', 'video'), 'TXT')).toBe(true);
  expect(owned(ownedName(zone, '_applied'), 'TXT')).toBe(false);
  expect(owned(hostRecord(zone, 'www.example.net').name, 'TXT')).toBe(false);
  expect(owned('www.example.net', 'A')).toBe(true);
  expect(owned('www.example.net', 'TXT')).toBe(false);
  expect(owned('mail.example.net', 'A')).toBe(false);
  expect(owned('x_tideline.example.net', 'A')).toBe(false);
  expect(owned('_tideline.example.net', 'TXT')).toBe(false);
});

test('drift is known only of a plan that was finished', () => {
  const records = [record('www.example.net', 'A', '192.0.2.1')];
  const changed = [record('www.example.net', 'A', '192.0.2.9')];
  expect(isDrifted(finishedHead(1, records), records)).toBe(false);
  expect(isDrifted(finishedHead(1, records), changed)).toBe(true);
  expect(isDrifted(unfinishedHead(1), changed)).toBe(false);
  expect(isDrifted(emptyRegistry, changed)).toBe(false);
});
