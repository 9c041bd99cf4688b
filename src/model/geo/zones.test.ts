import { expect, test } from 'vitest';
import { countries } from './countries.ts';
import { offsetMs } from './local-time.ts';
import { states } from './states.ts';
import { zoneOf } from './zones.ts';

test('every country and state has a time zone that Node knows, and no other code has', () => {
  for (const { code } of [...countries, ...states]) {
    const zone = zoneOf(code);
    expect(zone === undefined ? Number.NaN : offsetMs(zone, 0), code).not.toBeNaN();
  }
  expect(['XX', 'fr', 'US-PR', 'constructor', '192.0.2.0/24', 'unknown'].map(zoneOf)).toEqual(Array(6).fill(undefined));
});

test.each([
  ['FR', 'Europe/Paris'],
  ['JP', 'Asia/Tokyo'],
  ['US', 'America/New_York'],
  ['US-CA', 'America/Los_Angeles'],
  ['US-NY', 'America/New_York'],
  ['XK', 'Europe/Belgrade'],
])('most people of %s live by the clocks of %s', (place, zone) => {
  expect(zoneOf(place)).toBe(zone);
});

test('of countries with several zones only these have the first by the alphabet, in which most people live', () => {
  const first = countries.filter(({ code }) => {
    const locale: Intl.Locale & { getTimeZones?: () => readonly string[] | undefined } = new Intl.Locale(`und-${code}`);
    const zones = locale.getTimeZones?.() ?? [];
    return zones.length > 1 && zones[0] === zoneOf(code);
  });
  expect(first.map(({ code }) => code).join(' ')).toBe('CD CN DE EC ID KZ MY NZ PS');
});
