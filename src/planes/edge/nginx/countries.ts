import { crc32 } from 'node:zlib';
import type { CountryRange, CountryRanges } from '../../../model/geo/ranges.ts';

/** The countries that a byte can name beside "none". */
const mostCountries = 255;

/**
 * The file that `lua/countries.lua` reads: a line with the checksum of the rest, a line with the countries, a line with the counts of the
 * ranges and the time at which the data was made (0: not known), then the ranges: 4 or 6 bytes of a start, big-endian, and a byte that numbers the country from 1; 0 is none.
 */
export function encodeCountries({ ipv4, ipv6, builtSeconds = 0 }: CountryRanges): Buffer {
  const codes = [...new Set([...ipv4, ...ipv6].flatMap(({ country }) => country ?? []))].toSorted();
  if (codes.length > mostCountries) throw new Error(`${codes.length} countries do not fit in a byte`);
  const numbers = new Map(codes.map((code, index) => [code, index + 1]));
  const head = Buffer.from(`${codes.join(' ')}\n${ipv4.length} ${ipv6.length} ${builtSeconds}\n`);
  const rest = Buffer.concat([head, encodeRanges(ipv4, 4, numbers), encodeRanges(ipv6, 6, numbers)]);
  return Buffer.concat([Buffer.from(`tideline-countries-2 ${crc32(rest)}\n`), rest]);
}

function encodeRanges(ranges: readonly CountryRange[], width: number, numbers: ReadonlyMap<string, number>): Buffer {
  const bytes = Buffer.alloc(ranges.length * (width + 1));
  for (const [index, { start, country }] of ranges.entries()) {
    const at = index * (width + 1);
    bytes.writeUIntBE(start, at, width);
    bytes.writeUInt8(country === undefined ? 0 : (numbers.get(country) ?? 0), at + width);
  }
  return bytes;
}
