import { type Prefix, parsePrefix } from '../model/address.ts';
import { networkHolding } from '../model/geo/networks.ts';
import { formatIpv4 } from './ipv4.ts';
import { type GeoLookup, geoLookup, type SearchTree } from './lookup.ts';

/** The lab uses at most this many prefixes of one country. */
export const prefixesPerCountry = 16;

let byCountry: ReadonlyMap<string, readonly Prefix[]> | undefined;

/**
 * Up to `prefixesPerCountry` real IPv4 prefixes of a country, each a /24 or larger, the largest first, then by address:
 * the same on every machine that has the same data. Empty when the data knows none (BV, CX, EH and a few islands).
 */
export function prefixesOf(country: string): readonly Prefix[] {
  byCountry ??= prefixesByCountry(geoLookup());
  return byCountry.get(country) ?? [];
}

/**
 * A real address of the country for the lab's n-th client of it (0, 1, ...). Neighbouring clients are in different /24s
 * where the country's data allows, so that each is a client subnet of its own; no two n below the count of the country's
 * /24s times 200 give the same address.
 */
export function clientAddress(country: string, n: number): string {
  const prefixes = prefixesOf(country);
  const subnets = prefixes.map((prefix) => 2 ** (24 - prefix.length));
  const total = subnets.reduce((sum, count) => sum + count, 0);
  if (total === 0) throw new Error(`the IP-to-country data has no IPv4 prefix of ${country}`);
  // A step that is coprime to most totals spreads clients over the prefixes instead of filling the first one.
  let subnet = (n * strideFor(total)) % total;
  const host = 10 + (Math.floor(n / total) % 200);
  for (const [index, prefix] of prefixes.entries()) {
    const count = subnets[index] ?? 0;
    if (subnet < count) return formatIpv4(numberOf(prefix.network) + subnet * 256 + host);
    subnet -= count;
  }
  throw new Error('unreachable: the subnet is below the total');
}

/** An address of a client of the country that is in none of these networks; undefined where none of the first few is. */
export function clientOutside(country: string, networks: readonly string[]): string | undefined {
  if (prefixesOf(country).length === 0) return undefined;
  for (let n = 0; n < clientsTried; n += 1) {
    const address = clientAddress(country, n);
    if (networkHolding(networks, address) === undefined) return address;
  }
  return undefined;
}

const clientsTried = 32;

function strideFor(total: number): number {
  let stride = Math.max(1, Math.floor(total * 0.618));
  while (greatestCommonDivisor(stride, total) !== 1) stride += 1;
  return stride;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

interface Found {
  readonly network: number;
  readonly length: number;
}

/** Prefixes that the data may list but no client has, or that the lab itself uses. */
const reserved = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
].map((text): Found => {
  const [network = '', length = ''] = text.split('/');
  return { network: numberOf(network), length: Number(length) };
});

function prefixesByCountry(database: GeoLookup): ReadonlyMap<string, readonly Prefix[]> {
  const result = new Map<string, readonly Prefix[]>();
  for (const found of largestPerPointer(database.tree).values()) {
    const prefixes = found
      .filter((item) => !reserved.some((block) => overlap(block, item)))
      .slice(0, prefixesPerCountry)
      .flatMap(({ network, length }) => parsePrefix(`${formatIpv4(network)}/${length}`) ?? []);
    const first = prefixes[0];
    const country = first === undefined ? undefined : database.countryOf(first.network);
    if (country !== undefined) result.set(country, prefixes);
  }
  return result;
}

/** Walks the tree once, not deeper than /24. Equal records of the file share a data pointer, so a pointer stands for a country. */
function largestPerPointer(tree: SearchTree): ReadonlyMap<number, readonly Found[]> {
  const found = new Map<number, Found[]>();
  const walk = (node: number, network: number, length: number): void => {
    if (node === tree.nodeCount) return;
    if (node > tree.nodeCount) {
      keepLargest(found, node, { network, length });
      return;
    }
    if (length === 24) return;
    walk(tree.child(node, 0), network, length + 1);
    walk(tree.child(node, 1), network + 2 ** (31 - length), length + 1);
  };
  walk(tree.ipv4Root, 0, 0);
  return found;
}

/** Keeps the largest networks. The walk goes by rising address, so among equally large ones the lower address stays first. */
function keepLargest(found: Map<number, Found[]>, pointer: number, item: Found): void {
  const list = found.get(pointer);
  if (list === undefined) {
    found.set(pointer, [item]);
    return;
  }
  // The list has room for the few that are dropped later as reserved.
  const full = list.length >= prefixesPerCountry + reserved.length;
  if (full && (list.at(-1)?.length ?? 0) <= item.length) return;
  const at = list.findIndex((other) => other.length > item.length);
  list.splice(at < 0 ? list.length : at, 0, item);
  if (full) list.pop();
}

function overlap(a: Found, b: Found): boolean {
  const size = 2 ** (32 - Math.min(a.length, b.length));
  return Math.floor(a.network / size) === Math.floor(b.network / size);
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}
