import { describe, expect, it } from 'vitest';
import type { Account, Failure } from '../clients/ledger.ts';
import { judge } from './judge.ts';

const at = (...atMs: readonly number[]): readonly Failure[] =>
  atMs.map((ms) => ({ country: 'FR', atMs: ms, reason: 'Timeout' }));

function account(failures: readonly Failure[]): Account {
  return { requests: 100, failed: failures.length, retried: 0, recoveredAfterMs: 0, failures, countries: new Map() };
}

const recovers = { kind: 'recovers', withinMs: 3000 } as const;
const nothing = { kind: 'nothing' } as const;

describe('judge', () => {
  it.each([
    ['nothing failed', nothing, [], undefined, { recoveredAfterMs: null }],
    ['nothing failed after a fault', recovers, [], 1000, { recoveredAfterMs: 0 }],
    ['it recovered in time', recovers, [1500, 3900], 1000, { recoveredAfterMs: 2900 }],
  ])('accepts: %s', (_case, tolerance, failures, faultAtMs, expected) => {
    expect(judge(tolerance, account(at(...failures)), { fromMs: 0, faultAtMs })).toEqual(expected);
  });

  it.each([
    ['one request failed and none may', nothing, [500], undefined, /^1 requests failed, none may \(FR Timeout\)$/],
    ['it recovered too late', recovers, [4001], 1000, /until 3001 ms after the fault, 3000 are allowed/],
    ['it failed again at the healing', recovers, [1200, 9000], 1000, /until 8000 ms/],
    ['a step without a fault failed late', recovers, [5000], undefined, /until 5000 ms after its begin/],
  ])('refuses: %s', (_case, tolerance, failures, faultAtMs, complaint) => {
    expect(judge(tolerance, account(at(...failures)), { fromMs: 0, faultAtMs }).complaint).toMatch(complaint);
  });
});
