import { expect, it } from 'vitest';
import { few, warnOfFew } from './few.ts';
import { silentLog } from './log.ts';

const numbers = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `${index}`);

it('names a few, and of many the first and how many more', () => {
  expect(few(numbers(20))).toEqual(numbers(20));
  expect(few(numbers(10_000))).toEqual([...numbers(20), 'and 9980 more']);
});

it('warns of each of a few, and of many in a bounded number of lines', () => {
  const lines: object[] = [];
  const log = { ...silentLog, warn: (fields: object) => lines.push(fields) };
  warnOfFew(
    log,
    numbers(10_000).map((name) => ({ name })),
    'something',
  );
  expect(lines).toHaveLength(21);
  expect(lines.at(-1)).toEqual({ more: 9980 });
});
