import { expect, test } from 'vitest';
import { countryOfPlace, stateOf, states } from './states.ts';

test('has the 50 states and the District of Columbia once, sorted, with shares of all who live in them', () => {
  const codes = states.map(({ code }) => code);
  expect(codes).toEqual([...new Set(codes)].sort());
  expect(codes).toHaveLength(51);
  expect(states.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
  expect(stateOf('US-CA')?.share).toBeCloseTo(0.1193, 4);
});

test('knows no territory, no part of another country, and no invented state', () => {
  expect(['US-PR', 'CA-ON', 'UA-43', 'US-XX', 'US', 'us-ca'].map(stateOf)).toEqual(Array(6).fill(undefined));
});

test('a place is in its country', () => {
  expect(['US-CA', 'FR', 'CA-ON', ''].map(countryOfPlace)).toEqual(['US', 'FR', 'CA-ON', '']);
});
