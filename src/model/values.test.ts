import { expect, it } from 'vitest';
import { compareKeys, compareText, messageOf, withoutUndefined } from './values.ts';

it('says what an error says, whatever was thrown', () => {
  expect([new TypeError('broken'), 'broken', undefined, { a: 1 }].map(messageOf)).toEqual([
    'broken',
    'broken',
    'undefined',
    '[object Object]',
  ]);
});

it('orders text by code units, whatever the locale', () => {
  expect(['b', 'ä', 'B', 'a', ''].toSorted(compareText)).toEqual(['', 'B', 'a', 'b', 'ä']);
  expect(
    [
      ...new Map([
        ['b', 1],
        ['a', 2],
      ]),
    ].toSorted(compareKeys),
  ).toEqual([
    ['a', 2],
    ['b', 1],
  ]);
});

it('leaves out what is undefined, and nothing else', () => {
  expect(Object.keys(withoutUndefined({ a: undefined, b: null, c: 0, d: '', e: false }))).toEqual(['b', 'c', 'd', 'e']);
});
