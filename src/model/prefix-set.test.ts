import fc from 'fast-check';
import { expect, test } from 'vitest';
import { contains, hostPrefix, nearestPrefix, parseAddress } from './address.ts';
import { prefixSet } from './prefix-set.ts';

const v4 = fc.ipV4();
const v6 = fc.ipV6();

/** Prefixes around addresses, so that half of the questions hit. */
const question = fc
  .tuple(fc.array(fc.tuple(fc.oneof(v4, v6), fc.nat(128)), { maxLength: 4 }), fc.oneof(v4, v6), fc.nat(3))
  .map(([prefixes, other, pick]) => ({
    prefixes: prefixes.map(([text, length]) => nearestPrefix(`${text}/${text.includes(':') ? length : length % 33}`)!),
    address: parseAddress(prefixes[pick]?.[0] ?? other) ?? parseAddress('192.0.2.1')!,
  }))
  .filter(({ prefixes }) => prefixes.every((prefix) => prefix !== undefined));

test('a set of prefixes has the addresses that one of its prefixes contains', () => {
  fc.assert(
    fc.property(question, ({ prefixes, address }) => {
      const wanted = prefixes.some((prefix) => contains(prefix, hostPrefix(address)));
      expect(prefixSet(prefixes).has(address.text)).toBe(wanted);
    }),
  );
});
