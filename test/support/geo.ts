import { prefixesOf } from '../../src/geo/prefixes.ts';

const letters = Array.from({ length: 26 }, (_, index) => String.fromCharCode(65 + index));

/** Every two-letter code for which the IP-to-country data has at least one prefix, sorted. */
export function countriesWithPrefixes(): readonly string[] {
  return letters
    .flatMap((first) => letters.map((second) => `${first}${second}`))
    .filter((code) => prefixesOf(code).length > 0);
}
