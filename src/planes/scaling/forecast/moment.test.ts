import { expect, test } from 'vitest';
import { momentAhead, momentNamed } from './moment.ts';

/** A Saturday, 13:00 in Paris. */
const here = { nowMs: Date.UTC(2026, 10, 28, 12), zone: 'Europe/Paris' };

test.each([
  ['21:00', '2026-11-28T20:00:00.000Z'],
  ['12:00', '2026-11-29T11:00:00.000Z'],
  ['today 21:00', '2026-11-28T20:00:00.000Z'],
  ['tomorrow 08:30', '2026-11-29T07:30:00.000Z'],
  ['sunday 21:00', '2026-11-29T20:00:00.000Z'],
  ['Sun 21:00', '2026-11-29T20:00:00.000Z'],
  ['saturday 21:00', '2026-11-28T20:00:00.000Z'],
  ['saturday 12:00', '2026-12-05T11:00:00.000Z'],
  ['friday 00:00', '2026-12-03T23:00:00.000Z'],
  ['sunday 21:00 America/New_York', '2026-11-30T02:00:00.000Z'],
  ['sunday 21:00 UTC', '2026-11-29T21:00:00.000Z'],
  ['2026-12-24T18:00:00+01:00', '2026-12-24T17:00:00.000Z'],
  ['2026-12-24T18:00Z', '2026-12-24T18:00:00.000Z'],
])('%s is %s', (text, at) => {
  const atMs = momentNamed(text, here);
  expect(atMs === undefined ? undefined : new Date(atMs).toISOString()).toBe(at);
});

test.each([
  '',
  'sunday',
  'sunday 25:00',
  'someday 21:00',
  'today 12:00',
  '21:00 Mars/Base',
  '2026-13-01T00:00Z',
  '2026-12-24',
  's 21:00',
])('%j names no moment to come', (text) => {
  expect(momentNamed(text, here)).toBeUndefined();
});

test('an hour that clocks leave out is the one after it', () => {
  const nowMs = Date.UTC(2026, 2, 28, 12);
  expect(momentNamed('sunday 02:30', { ...here, nowMs })).toBe(Date.UTC(2026, 2, 29, 1, 30));
});

test.each([
  ['someday', '"someday" names no moment to come'],
  ['2026-11-28T11:59:00Z', '2026-11-28T11:59:00.000Z lies in the past'],
  ['2026-12-13T00:00:00Z', 'is more than 14 days ahead'],
])('%s is refused', (text, message) => {
  expect(() => momentAhead(text, here)).toThrow(message);
});
