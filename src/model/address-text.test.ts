import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { expect, it } from 'vitest';
import { bytesOfText, canonicalText } from './address-text.ts';

// Most groups are zero, so that `::` has something to stand for.
const group = fc.oneof(fc.constant(0), fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
const six = fc.array(group, { minLength: 8, maxLength: 8 }).map((groups) => new ipaddr.IPv6(groups));
const four = fc.ipV4().map((text) => ipaddr.IPv4.parse(text));

it('writes every address as ipaddr.js writes it, and reads every way of writing it', () => {
  fc.assert(
    fc.property(fc.oneof(six, four), (address) => {
      const bytes = address.toByteArray();
      const texts =
        address instanceof ipaddr.IPv6
          ? [address.toRFC5952String(), address.toNormalizedString(), address.toString().toUpperCase()]
          : [address.toString()];
      expect(canonicalText(bytes)).toBe(texts[0]);
      for (const text of texts) expect(bytesOfText(text)).toEqual(bytes);
    }),
    { numRuns: 2000 },
  );
});

it('takes for an address what ipaddr.js does, but for scopes and unusual ways to write IPv4', () => {
  const piece = fc.constantFrom(
    ':',
    '::',
    '.',
    '0',
    '1',
    'a',
    'ffff',
    'F00',
    '10000',
    '255',
    '256',
    '01',
    'g',
    '%',
    ' ',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 18 }), (pieces) => {
      const text = pieces.join('');
      const valid = text.includes(':')
        ? ipaddr.IPv6.isValid(text) && !text.includes('%')
        : ipaddr.IPv4.isValidFourPartDecimal(text) && ipaddr.IPv4.parse(text).toString() === text;
      expect(bytesOfText(text) !== undefined).toBe(valid);
      if (valid) expect(bytesOfText(text)).toEqual(ipaddr.parse(text).toByteArray());
    }),
    { numRuns: 5000 },
  );
});

it.each([
  ['::ffff:10.0.0.1', '::ffff:a00:1'],
  ['2001:DB8::0:1', '2001:db8::1'],
  ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
  ['1:0:0:2:2:0:0:3', '1::2:2:0:0:3'],
  ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
  ['::', '::'],
])('%s is %s', (text, canonical) => {
  expect(canonicalText(bytesOfText(text) ?? [])).toBe(canonical);
});
