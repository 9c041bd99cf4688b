import { expect, it } from 'vitest';
import { type CountryWeights, countedAlike, weightsAmong, weightsOf } from './country-weights.ts';
import { countries } from './geo/countries.ts';

const nowMs = Date.UTC(2026, 10, 27, 20);
const measured = (requestsPerSecond: Readonly<Record<string, number>>, ageMs = 0) => ({
  measuredAtMs: nowMs - ageMs,
  requestsPerSecond,
});
const sum = ({ of }: CountryWeights): number => countries.reduce((so, { code }) => so + of(code), 0);

it('counts every country the same where nothing was measured, and says so', () => {
  const alike = countedAlike();
  expect([alike.of('FR'), alike.of('XX'), alike.basis]).toEqual([
    1 / countries.length,
    0,
    'no traffic figures: every country counts the same',
  ]);
  const none = weightsOf(measured({ FR: 0 }), nowMs);
  expect([none.of('FR'), none.basis]).toEqual([
    1 / countries.length,
    'nothing was measured: every country counts the same',
  ]);
});

it('counts countries by their requests, and one that was not measured as the average of the others', () => {
  const weights = weightsOf(measured({ FR: 30, SN: 10, BE: 0 }, 5 * 60_000), nowMs);
  expect(sum(weights)).toBeCloseTo(1, 9);
  expect(weights.of('FR') / weights.of('SN')).toBeCloseTo(3, 9);
  expect(weights.of('JP') / weights.of('SN')).toBeCloseTo(40 / 3 / 10, 9);
  expect(weights.of('BE') / weights.of('JP')).toBeCloseTo(0.01, 9);
  expect(weights.basis).toBe(
    'countries count by 40 requests/s of 3 of them, measured 5 min ago; each of the other 243 as their average',
  );
});

it('does not use what was measured long ago', () => {
  const weights = weightsOf(measured({ FR: 30 }, 8 * 24 * 3_600_000), nowMs);
  expect(weights.of('FR')).toBe(weights.of('JP'));
  expect(weights.basis).toBe('traffic was measured 8 days ago, which is too long: every country counts the same');
});

it('counts a state for its part of the people of its country, or of what was measured there', () => {
  const alike = countedAlike();
  expect(alike.of('US-CA') / alike.of('US')).toBeCloseTo(39_538_223 / 331_449_281, 9);
  const weights = weightsOf(measured({ US: 200, 'US-CA': 50, 'US-NY': 900, FR: 100 }), nowMs);
  expect(sum(weights)).toBeCloseTo(1, 9);
  expect(weights.of('US') / weights.of('FR')).toBeCloseTo(2, 9);
  expect(weights.of('US-CA') / weights.of('US')).toBeCloseTo(0.25, 9);
  expect(weights.of('US-TX') / weights.of('US')).toBeCloseTo(29_145_505 / 331_449_281, 9);
  // More than all of its country is a fault of the file.
  expect(weights.of('US-NY')).toBe(weights.of('US'));
});

it('counts a country without those of its states that are told apart', () => {
  const weights = weightsOf(measured({ US: 200, 'US-CA': 50, FR: 100 }), nowMs);
  const among = weightsAmong(weights, ['FR', 'US', 'US-CA']);
  expect(among('US') / weights.of('US')).toBeCloseTo(0.75, 9);
  expect(among('US-CA')).toBe(weights.of('US-CA'));
  expect(weightsAmong(weights, ['FR', 'US'])('US')).toBe(weights.of('US'));
});

it('counts a network as an average country, and all together as 1', () => {
  const weights = weightsOf(measured({ FR: 200, SN: 50 }), nowMs);
  const networks = ['198.51.100.0/24', '2001:db8::/32'];
  const among = weightsAmong(weights, [...countries.map(({ code }) => code), ...networks]);
  expect(among('198.51.100.0/24')).toBeCloseTo(1 / 248, 9);
  expect(among('FR') / among('SN')).toBeCloseTo(4, 9);
  expect(
    [...countries.map(({ code }) => code), ...networks].reduce((total, place) => total + among(place), 0),
  ).toBeCloseTo(1, 9);
});

it('says that countries were told by old data', () => {
  const nowMs = Date.UTC(2026, 10, 28);
  const of = (countryDataBuilt: string) =>
    weightsOf({ measuredAtMs: nowMs, requestsPerSecond: { FR: 1 }, countryDataBuilt }, nowMs).basis;
  expect(of('2025-01-01T00:00:00Z')).toMatch(/; countries are told by data of 2025-01-01, 696 days old, which is old$/);
  expect(of('2026-11-01T00:00:00Z')).not.toMatch(/told/);
});
