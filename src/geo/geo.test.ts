import { describe, expect, it } from 'vitest';
import { countriesWithPrefixes } from '../../test/support/geo.ts';
import { parseAddress } from '../model/address.ts';
import { formatIpv4 } from './ipv4.ts';
import { countryOf } from './lookup.ts';
import { clientAddress, clientOutside, prefixesOf, prefixesPerCountry } from './prefixes.ts';
import { countryRanges } from './ranges.ts';

describe('countryOf', () => {
  it.each([
    ['8.8.8.8', 'US'],
    ['2001:4860:4860::8888', 'US'],
    ['193.0.6.139', 'NL'],
    ['10.0.0.1', undefined],
    ['192.0.2.1', undefined],
    ['nonsense', undefined],
    ['', undefined],
  ])('%s is %s', (address, country) => {
    expect(countryOf(address)).toBe(country);
  });
});

describe('prefixesOf', () => {
  it('gives real prefixes of every country it knows, /24 or larger, quickly', () => {
    const startedAt = performance.now();
    const countries = countriesWithPrefixes();
    expect(performance.now() - startedAt).toBeLessThan(5000);
    expect(countries.length).toBeGreaterThan(220);
    for (const country of countries) {
      const prefixes = prefixesOf(country);
      expect(prefixes.length).toBeLessThanOrEqual(prefixesPerCountry);
      for (const prefix of prefixes) {
        expect(prefix.length).toBeLessThanOrEqual(24);
        expect(countryOf(prefix.network)).toBe(country);
      }
    }
  });

  it('knows nothing of a country that is none', () => {
    expect(prefixesOf('QQ')).toEqual([]);
    expect(() => clientAddress('QQ', 0)).toThrow('no IPv4 prefix of QQ');
  });
});

describe('clientAddress', () => {
  it.each(['FR', 'US', 'SN', 'GB', 'BR', 'JP', 'AU', 'ZA', 'IN', 'NR', 'VA'])('gives addresses of %s', (country) => {
    const addresses = Array.from({ length: 50 }, (_, n) => clientAddress(country, n));
    for (const address of addresses) {
      expect(parseAddress(address)).toBeDefined();
      expect(countryOf(address)).toBe(country);
    }
    expect(new Set(addresses).size).toBe(50);
    expect(clientAddress(country, 7)).toBe(addresses[7]);
  });
});

describe('countryRanges', () => {
  it('says the same as a lookup, at every border and between', () => {
    const { ipv4, ipv6 } = countryRanges();
    expect([ipv4[0]?.start, ipv6[0]?.start]).toEqual([0, 0]);
    const step = Math.ceil(ipv4.length / 500);
    for (let index = step; index < ipv4.length; index += step) {
      const { start, country } = ipv4[index]!;
      expect(countryOf(formatIpv4(start))).toBe(country);
      expect(countryOf(formatIpv4(start - 1))).toBe(ipv4[index - 1]?.country);
    }
    const [high, low] = [0x2001_4860, 0x4860];
    const google = ipv6.findLast(({ start }) => start <= high * 2 ** 16 + low);
    expect(google?.country).toBe(countryOf('2001:4860:4860::8888'));
  });
});

describe('clientOutside', () => {
  it('is a client of the country that is in none of the networks', () => {
    const [first, second] = [clientAddress('FR', 0), clientAddress('FR', 1)];
    expect(clientOutside('FR', [])).toBe(first);
    expect(clientOutside('FR', [first.replace(/\d+$/, '0/24')])).toBe(second);
    expect(clientOutside('FR', ['0.0.0.0/1', '128.0.0.0/1'])).toBeUndefined();
    expect(clientOutside('QQ', [])).toBeUndefined();
  });
});
