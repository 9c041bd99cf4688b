import fc from 'fast-check';
import { expect, it } from 'vitest';
import { wrapLine } from './wrap.ts';

it.each([
  ['a line that fits', 'one two', 7, ['one two']],
  ['a line that does not', 'one two three', 8, ['one two', '  three']],
  ['an indented line', '  one two three four', 12, ['  one two', '    three', '    four']],
  [
    'a word that is longer than a line',
    'see docs/operations/runbooks now',
    10,
    ['see', '  docs/operations/runbooks', '  now'],
  ],
  ['cells of a table', 'paris    2/2   10 ms  up', 18, ['paris    2/2   10', '  ms  up']],
  ['an indent as wide as the terminal', '        one two', 8, ['        one', 'two']],
  ['no line at all', '', 8, ['']],
  ['a width that is not known', 'one two three', undefined, ['one two three']],
  ['a width of nothing, as a terminal without a size says', 'one two three', 0, ['one two three']],
])('%s', (_case, line, columns, expected) => {
  expect(wrapLine(line, columns)).toEqual(expected);
});

const text = fc.array(fc.constantFrom('a', 'bc', 'def', '0123456789', ' ', '  '), { maxLength: 40 });

it('keeps every word, and no line with two words or more is too long', () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 30 }), (parts, columns) => {
      const line = parts.join('');
      const lines = wrapLine(line, columns);
      const words = (of: string) => of.split(/ +/).filter((word) => word !== '');
      expect(lines.flatMap(words)).toEqual(words(line));
      for (const one of lines) if (one.length > columns) expect(words(one).length).toBeLessThan(2);
    }),
  );
});
