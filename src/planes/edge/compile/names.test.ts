import { expect, test } from 'vitest';
import { textRows } from '../../../../test/support/data-plane-tables.ts';
import { isHost, pathFault } from './names.ts';

test.each(textRows('hosts.txt'))('the host $text: accepted $compile ($why)', ({ text, compile }) => {
  expect(isHost(text)).toBe(compile);
});

test.each(textRows('paths.txt'))('the path $text: accepted $compile ($why)', ({ text, compile }) => {
  expect(pathFault(text) === undefined).toBe(compile);
});

test('a path ends at 4096 bytes, a host at 253 characters, a label at 63', () => {
  expect([4095, 4096].map((rest) => pathFault(`/${'a'.repeat(rest)}`) === undefined)).toEqual([true, false]);
  expect([2047, 2048].map((rest) => pathFault(`/${'é'.repeat(rest)}`) === undefined)).toEqual([true, false]);
  expect([63, 64].map((length) => isHost('a'.repeat(length)))).toEqual([true, false]);
  const long = (length: number): string => `${'a.'.repeat(200)}`.slice(0, length - 1).concat('a');
  expect([253, 254].map((length) => isHost(long(length)))).toEqual([true, false]);
});
