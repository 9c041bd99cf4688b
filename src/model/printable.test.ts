import fc from 'fast-check';
import { expect, it } from 'vitest';
import { printable, printableJson } from './printable.ts';

it.each([
  ['\u001b[2J', '\\u001b[2J'],
  ['\u001b]0;title\u0007', '\\u001b]0;title\\u0007'],
  ['\u009b31m', '\\u009b31m'],
  ['a\u007fb', 'a\\u007fb'],
  ['x\nok: 1 site\r\n', 'x\\nok: 1 site\\r\\n'],
  ['a\tb', 'a\\tb'],
  ['a\u2028b\u2029', 'a\\u2028b\\u2029'],
  ['user\u202etxt.exe', 'user\\u202etxt.exe'],
  ['\u2066a\u2069\u200f\u061c\ufeff\u200b', '\\u2066a\\u2069\\u200f\\u061c\\ufeff\\u200b'],
  ['\u{e0041}', '\\udb40\\udc41'],
  ['\ud800', '\\ud800'],
  ['Île-de-France, 東京, می‌خواهم, 👩‍🚀', 'Île-de-France, 東京, می‌خواهم, 👩‍🚀'],
])('%j', (text, expected) => {
  expect(printable(text)).toBe(expected);
});

it('leaves one line without controls, and JSON that says the same', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(printable(text)).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
      const json = JSON.stringify({ [text]: [text] }, null, 2);
      expect(JSON.parse(printableJson(json))).toEqual(JSON.parse(json));
      expect(printableJson(json)).not.toMatch(/(?!\n)[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
    }),
  );
});
