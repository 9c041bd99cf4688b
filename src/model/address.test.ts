import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  comparePrefixes,
  contains,
  hostPrefix,
  moved,
  overlaps,
  type Prefix,
  parseAddress,
  parsePrefix,
} from './address.ts';

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new Error(`not a prefix: ${text}`);
  return parsed;
}

describe('parseAddress', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1'],
    ['2001:DB8:0:0::1', '2001:db8::1'],
    ['::ffff:10.0.0.1', '::ffff:a00:1'],
  ])('reads %s as %s', (text, canonical) => {
    expect(parseAddress(text)?.text).toBe(canonical);
  });

  it.each([
    '',
    '10.1',
    '010.0.0.1',
    '10.0.0.256',
    '10.0.0.1 ',
    'fe80::1%eth0',
    '1:2:3',
    'localhost',
    '0x7f000001',
    '2130706433',
  ])('refuses %j', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });
});

describe('parsePrefix', () => {
  it.each([
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['10.0.0.1', '10.0.0.1/32'],
    ['2001:db8::/32', '2001:db8::/32'],
    ['2001:db8::1', '2001:db8::1/128'],
  ])('reads %s as %s', (text, canonical) => {
    expect(parsePrefix(text)?.text).toBe(canonical);
  });

  it.each([
    '10.0.0.1/8',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/08',
    '10.0.0.0/-1',
    '10.128.0.999/26',
    '2001:db8::1/64',
    '/8',
  ])('refuses %j', (text) => {
    expect(parsePrefix(text)).toBeUndefined();
  });
});

const ipv4 = fc.tuple(fc.nat(0xffffffff), fc.integer({ min: 0, max: 32 })).map(([value, length]) => {
  const network = length === 0 ? 0 : (value >>> (32 - length)) << (32 - length);
  const bytes = [24, 16, 8, 0].map((shift) => (network >>> shift) & 255);
  return prefix(`${bytes.join('.')}/${length}`);
});

describe('prefix relations', () => {
  it('contains is reflexive, antisymmetric, and agrees with overlaps', () => {
    fc.assert(
      fc.property(ipv4, ipv4, (a, b) => {
        expect(contains(a, a)).toBe(true);
        if (contains(a, b) && contains(b, a)) expect(a.text).toBe(b.text);
        expect(overlaps(a, b)).toBe(overlaps(b, a));
      }),
    );
  });

  it('compare is a total order that equals only equal prefixes', () => {
    fc.assert(
      fc.property(ipv4, ipv4, (a, b) => {
        expect(Math.sign(comparePrefixes(a, b))).toBe(-Math.sign(comparePrefixes(b, a)) + 0);
        expect(comparePrefixes(a, b) === 0).toBe(a.text === b.text);
      }),
    );
  });

  it.each([
    ['10.0.0.0/8', '10.1.0.0/16', true],
    ['10.1.0.0/16', '10.0.0.0/8', false],
    ['10.0.0.0/9', '10.128.0.0/9', false],
    ['0.0.0.0/0', '2001:db8::/32', false],
    ['2001:db8::/32', '2001:db8:1::/48', true],
  ])('%s contains %s: %s', (outer, inner, expected) => {
    expect(contains(prefix(outer), prefix(inner))).toBe(expected);
  });

  it('makes host prefixes', () => {
    const address = parseAddress('2001:db8::1');
    expect(address && hostPrefix(address).text).toBe('2001:db8::1/128');
  });
});

describe('moved', () => {
  const at = (address: string, from: string, to: string): string | undefined => {
    const [whose, one, other] = [parseAddress(address), parsePrefix(from), parsePrefix(to)];
    if (whose === undefined || one === undefined || other === undefined) throw new Error('not an address');
    return moved(whose, one, other)?.text;
  };
  it.each([
    ['10.1.0.21', '10.1.0.0/24', '10.3.0.0/24', '10.3.0.21'],
    ['10.1.0.21', '10.1.0.0/24', '10.3.4.0/22', '10.3.4.21'],
    ['10.1.0.3', '10.1.0.0/24', '10.3.0.8/29', '10.3.0.11'],
    ['10.1.0.21', '10.1.0.0/24', '10.3.0.8/29', undefined],
    ['10.2.0.21', '10.1.0.0/24', '10.3.0.0/24', undefined],
    ['10.1.0.21', '10.1.0.0/24', '2001:db8::/64', undefined],
    ['2001:db8:1::a:15', '2001:db8:1::/64', '2001:db8:3::/64', '2001:db8:3::a:15'],
  ])('%s of %s is in %s: %s', (address, from, to, there) => expect(at(address, from, to)).toBe(there));
});
