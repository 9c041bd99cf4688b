import fc from 'fast-check';
import { expect, test } from 'vitest';
import { localClock, momentOf, offsetMs } from './local-time.ts';

const hourMs = 3_600_000;
const iso = (atMs: number): string => new Date(atMs).toISOString().slice(0, 16);

test.each([
  ['Europe/Paris', '2026-01-01T00:00Z', 1],
  ['Europe/Paris', '2026-07-01T00:00Z', 2],
  ['Asia/Kolkata', '2026-01-01T00:00Z', 5.5],
  ['America/St_Johns', '2026-01-01T00:00Z', -3.5],
  ['UTC', '2026-01-01T00:00Z', 0],
])('clocks of %s at %s are %d h ahead', (zone, at, hours) => {
  expect(offsetMs(zone, Date.parse(at))).toBe(hours * hourMs);
});

test.each([
  ['forward', '2026-03-29T00:59Z', '2026-03-29T01:59'],
  ['forward', '2026-03-29T01:00Z', '2026-03-29T03:00'],
  ['back', '2026-10-25T00:59Z', '2026-10-25T02:59'],
  ['back', '2026-10-25T01:00Z', '2026-10-25T02:00'],
])('the clock of Paris is put %s: at %s it shows %s', (_, at, shown) => {
  const clock = localClock('Europe/Paris', Date.UTC(2026, 0, 1), Date.UTC(2027, 0, 1));
  expect(iso(clock(Date.parse(at)))).toBe(shown);
});

test.each([
  ['an hour that never is', '2026-03-29T02:30', '2026-03-29T01:30'],
  ['the first of two hours', '2026-10-25T02:30', '2026-10-25T00:30'],
  ['an evening', '2026-10-25T21:00', '2026-10-25T20:00'],
])('%s: %s in Paris is %s UTC', (_, shown, at) => {
  expect(iso(momentOf('Europe/Paris', Date.parse(`${shown}Z`)))).toBe(at);
});

test('a clock shows what Intl says, at every moment of two years and in every kind of zone', () => {
  const [from, to] = [Date.UTC(2025, 0, 1), Date.UTC(2027, 0, 1)];
  const zones = [
    'Europe/Paris',
    'America/New_York',
    'Australia/Lord_Howe',
    'Africa/Casablanca',
    'Asia/Kathmandu',
    'Pacific/Apia',
  ];
  const clocks = new Map(zones.map((zone) => [zone, localClock(zone, from, to)]));
  fc.assert(
    fc.property(fc.constantFrom(...zones), fc.integer({ min: from / 60_000, max: to / 60_000 }), (zone, minute) => {
      expect(clocks.get(zone)?.(minute * 60_000)).toBe(minute * 60_000 + offsetMs(zone, minute * 60_000));
    }),
    { numRuns: 500 },
  );
});
