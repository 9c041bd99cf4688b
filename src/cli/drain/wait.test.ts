import { expect, test } from 'vitest';
import type { DrainState } from '../../observe/drains.ts';
import { endOf } from './wait.ts';

const target = { kind: 'Cluster', name: 'paris' } as const;
const state = (change: Partial<DrainState>): DrainState => ({
  name: 'd',
  target,
  reason: 'works',
  expires: '2099-01-01T00:00:00Z',
  phase: 'draining',
  left: ['b1 has 1 connection open'],
  dns: 'follows at the next apply',
  ...change,
});
const unknown = state({ phase: 'unknown', onlyDnsUnknown: true, left: ['DNS: unknown (nobody says it)'] });

test('a wait goes on while something is left, and ends when nothing is', () => {
  expect(endOf([state({})], target, false)).toBeUndefined();
  expect(endOf([state({ phase: 'empty', left: [] })], target, false)).toEqual({ empty: true, says: 'empty' });
  const blade = { kind: 'Blade', name: 'b1' } as const;
  expect(endOf([state({ phase: 'empty', left: [] })], blade, false)?.says).toBe(
    'empty: the machine may be switched off',
  );
});

test('a wait ends without success when its Drains are over or were removed', () => {
  for (const states of [[], [state({ phase: 'over' })]])
    expect(endOf(states, target, false)).toMatchObject({ empty: false });
});

test('a wait for what nobody can know ends with DNS: unknown; a steering agent that was named may say it later', () => {
  expect(endOf([unknown], target, false)).toEqual({
    empty: false,
    says: 'not known to be empty: DNS: unknown (nobody says it)',
  });
  expect(endOf([unknown], target, true)).toBeUndefined();
  expect(endOf([unknown, state({})], target, false)).toBeUndefined();
});
