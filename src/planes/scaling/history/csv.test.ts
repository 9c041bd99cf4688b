import { expect, test } from 'vitest';
import { stepsOfCsv } from './csv.ts';

test('a table becomes steps of five minutes, in the order of their times', () => {
  const text = [
    'time,country,requests per second',
    '2026-11-28T12:06:00Z,FR,2',
    '2026-11-28T12:08:00+00:00,FR,4',
    '1795867500,"US-CA",7',
    '2026-11-28T12:05:00Z,unknown,0.5',
    '',
  ].join('\r\n');
  expect(stepsOfCsv(text, 'table')).toEqual([
    { atMs: Date.UTC(2026, 10, 28, 12, 5), requestsPerSecond: { 'US-CA': 7 }, unknownPerSecond: 0.5 },
    { atMs: Date.UTC(2026, 10, 28, 12, 10), requestsPerSecond: { FR: 3 } },
  ]);
});

test.each([
  ['2026-11-28T12:05:00Z,FR', 'expected time,country,requests per second'],
  ['2026-11-28T12:05:00Z,FR,1,2', 'expected time,country,requests per second'],
  ['yesterday,FR,1', '"yesterday" is no time'],
  ['2026-11-28T12:05:00,FR,1', 'is no time'],
  ['2026-11-28T12:05:00Z,UK,1', '"UK" is no country'],
  ['2026-11-28T12:05:00Z,FR,-1', '"-1" is no number of requests'],
  ['2026-11-28T12:05:00Z,FR,many', '"many" is no number of requests'],
])('%s is refused with its line', (line, message) => {
  const text = `time,country,requests per second\n${line}\n`;
  expect(() => stepsOfCsv(text, 'table.csv')).toThrow(message);
  expect(() => stepsOfCsv(text, 'table.csv')).toThrow('table.csv:2');
});
