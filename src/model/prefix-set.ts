import ipaddr from 'ipaddr.js';
import type { Prefix } from './address.ts';

/** Prefixes that are asked for many addresses. */
export interface PrefixSet {
  /** Whether a prefix holds this address, which must be in canonical text form. */
  has(address: string): boolean;
}

/** Makes the set; asking it costs one comparison for each prefix of the address's family, and no objects for IPv4. */
export function prefixSet(prefixes: readonly Prefix[]): PrefixSet {
  const of4 = prefixes.filter(({ family }) => family === 4).map(range4);
  const of6 = prefixes
    .filter(({ family }) => family === 6)
    .map(({ network, length }) => ({ bytes: bytes6(network), length }));
  return {
    has(address) {
      if (!address.includes(':')) {
        const value = value4(address);
        return of4.some(({ first, last }) => value >= first && value <= last);
      }
      if (of6.length === 0) return false;
      const bytes = bytes6(address);
      return of6.some((prefix) => sameStart(prefix.bytes, bytes, prefix.length));
    },
  };
}

function range4({ network, length }: Prefix): { readonly first: number; readonly last: number } {
  const first = value4(network);
  return { first, last: first + 2 ** (32 - length) - 1 };
}

function value4(text: string): number {
  let value = 0;
  let part = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === 46) {
      value = value * 256 + part;
      part = 0;
    } else part = part * 10 + code - 48;
  }
  return value * 256 + part;
}

function bytes6(text: string): readonly number[] {
  return ipaddr.parse(text).toByteArray();
}

function sameStart(a: readonly number[], b: readonly number[], bits: number): boolean {
  const whole = bits >> 3;
  for (let index = 0; index < whole; index += 1) if (a[index] !== b[index]) return false;
  const mask = (0xff << (8 - (bits & 7))) & 0xff;
  return ((a[whole] ?? 0) & mask) === ((b[whole] ?? 0) & mask);
}
