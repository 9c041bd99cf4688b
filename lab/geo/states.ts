import { countryOf } from '../../src/geo/lookup.ts';
import { parseAddress } from '../../src/model/address.ts';
import { states } from '../../src/model/geo/states.ts';

/**
 * The state of the US that an address is in, in the lab. The data behind `countryOf` knows countries only, so this is invented: each /24 (IPv6: /48)
 * of the US belongs to a state by its number, the same on every machine, and one of 52 belongs to none, as some addresses do for Route 53.
 */
export function labStateOf(address: string): string | undefined {
  const parsed = parseAddress(address);
  if (parsed === undefined || countryOf(parsed.text) !== 'US') return undefined;
  return states[subnetOf(parsed.text) % (states.length + 1)]?.code;
}

/** The first 24 bits of an IPv4 address, 48 of an IPv6 address, as a number. */
function subnetOf(text: string): number {
  if (!text.includes(':')) return numberOf(text.split('.').slice(0, 3).map(Number), 256);
  const [head = '', tail = ''] = text.split('::');
  const parts = head.split(':').filter((part) => part !== '');
  const rest = text.includes('::') ? tail.split(':').filter((part) => part !== '') : [];
  const zeros = Array.from({ length: Math.max(0, 8 - parts.length - rest.length) }, () => '0');
  const all = [...parts, ...zeros, ...rest].slice(0, 3);
  return numberOf(
    all.map((part) => Number.parseInt(part, 16)),
    65_536,
  );
}

function numberOf(digits: readonly number[], base: number): number {
  return digits.reduce((sum, digit) => sum * base + digit, 0);
}
