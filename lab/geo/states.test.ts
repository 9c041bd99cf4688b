import { expect, test } from 'vitest';
import { countryOf } from '../../src/geo/lookup.ts';
import { states } from '../../src/model/geo/states.ts';
import { labClient } from '../../test/support/geo.ts';
import { labStateOf } from './states.ts';

test('each state has clients of its own, all of them in the US', () => {
  for (const { code } of states) {
    const clients = [labClient(code, 0), labClient(code, 1)];
    expect(new Set(clients).size).toBe(2);
    expect(clients.map(labStateOf)).toEqual([code, code]);
    expect(clients.map(countryOf)).toEqual(['US', 'US']);
  }
});

test('some addresses of the US are in no known state, and none of another country is', () => {
  expect([countryOf(labClient('US', 0)), labStateOf(labClient('US', 0))]).toEqual(['US', undefined]);
  expect(labStateOf(labClient('FR', 0))).toBeUndefined();
  expect(labStateOf('nonsense')).toBeUndefined();
});

test('a subnet is in one state, whatever the rest of its address is', () => {
  expect(labStateOf('2001:4860:4860::8888')).toBe(labStateOf('2001:4860:4860:1:2:3:4:5'));
  expect(labStateOf('8.8.8.8')).toBe(labStateOf('8.8.8.77'));
});
