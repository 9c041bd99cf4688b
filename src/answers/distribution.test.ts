import { expect, test } from 'vitest';
import { formatShares, movedBetween, parseShares, percent, sameShares, sumByCluster } from './distribution.ts';

const shares = (entries: Readonly<Record<string, number>>) => new Map(Object.entries(entries));

test('addresses of one cluster count together, an address of no cluster under its own text', () => {
  const clusterOf = (address: string) => (address.startsWith('192.0.2.') ? 'paris' : undefined);
  const answer = shares({ '192.0.2.1': 0.25, '192.0.2.2': 0.25, '203.0.113.9': 0.5 });
  expect(sumByCluster(answer, clusterOf)).toEqual(shares({ paris: 0.5, '203.0.113.9': 0.5 }));
});

test('shares are the same except for rounding errors of floating point', () => {
  expect(sameShares(shares({ a: 0.1 + 0.2, b: 0.7 }), shares({ a: 0.3, b: 0.7 }))).toBe(true);
  expect(sameShares(shares({ a: 0.31, b: 0.69 }), shares({ a: 0.3, b: 0.7 }))).toBe(false);
  expect(sameShares(shares({ a: 1 }), shares({ a: 1, b: 0 }))).toBe(false);
});

test('what moves is the share of users who get another answer', () => {
  expect(movedBetween(shares({ a: 1 }), shares({ b: 1 }))).toBe(1);
  expect(movedBetween(shares({ a: 0.7, b: 0.3 }), shares({ a: 0.5, b: 0.5 }))).toBeCloseTo(0.2, 9);
  expect(movedBetween(shares({ a: 1 }), shares({ a: 1 }))).toBe(0);
});

test('shares read as a person would write them', () => {
  expect(formatShares(shares({ paris: 0.7, newyork: 0.3 }))).toBe('newyork 30%, paris 70%');
  expect(formatShares(shares({ paris: 1 }))).toBe('paris');
  expect(formatShares(new Map())).toBe('nothing');
  for (const text of ['newyork 30%, paris 70%', 'paris', 'nothing', 'a 33.3%, b 66.7%', 'a <0.1%, b 99.9%'])
    expect(formatShares(parseShares(text))).toBe(text);
});

test('a share that is small is not told as none', () => {
  expect([0, 1e-12, 1e-6, 0.00049, 0.0005, 0.0244, 1].map(percent)).toEqual([
    '0%',
    '0%',
    '<0.1%',
    '<0.1%',
    '0.1%',
    '2.4%',
    '100%',
  ]);
});
