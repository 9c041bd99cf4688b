import { parseAddress } from '../../../model/address.ts';
import { answersOfRecord } from './answers.ts';
import { MasterFileError, type MasterRecord } from './master-file.ts';
import { ttlNotes, type ZoneEntry, type ZoneFile } from './zone-file.ts';

const families: ReadonlyMap<string, 4 | 6> = new Map([
  ['A', 4],
  ['AAAA', 6],
]);

/** The records of a master file as an import reads them; throws a MasterFileError for one that is not of the zone. `file` is how a person named it. */
export function zoneOfMasterFile(records: readonly MasterRecord[], zone: string, file: string): ZoneFile {
  const sets = Map.groupBy(records, ({ owner, type }) => `${owner} ${type}`);
  return { entries: [...sets.values()].flatMap((set) => entryOf(set, zone, file) ?? []) };
}

/** The name of the zone that a file is of, by its SOA. */
export function zoneOfSoa(records: readonly MasterRecord[]): string | undefined {
  return records.find(({ type }) => type === 'SOA')?.owner;
}

function addressOf([text = '', ...more]: readonly string[], family: 4 | 6): string | undefined {
  const address = parseAddress(text);
  return address?.family === family && more.length === 0 ? address.text : undefined;
}

function entryOf(set: readonly MasterRecord[], zone: string, file: string): ZoneEntry | undefined {
  const [first] = set;
  if (first === undefined) return undefined;
  const { owner, type, line } = first;
  if (owner !== zone && !owner.endsWith(`.${zone}`))
    throw new MasterFileError(line, `${owner} is not in the zone ${zone}`);
  const name = owner === zone ? '' : owner.slice(0, -zone.length - 1);
  const at = set.map((record) => `${file}:${record.line}`);
  if (type === 'TXT') return { name, type, at, texts: set.map(({ data }) => data.join('')) };
  const family = families.get(type);
  if (family === undefined) return { name, type, at, leadsTo: set.flatMap(({ leadsTo }) => leadsTo ?? []) };
  const addresses = set.map(({ data, line: where }) => ({ data, where, address: addressOf(data, family) }));
  const odd = addresses.find(({ address }) => address === undefined);
  if (odd !== undefined) {
    const problem = `expected one IPv${family} address, not ${JSON.stringify(odd.data.join(' ').slice(0, 60))}`;
    return { name, type, at: [`${file}:${odd.where}`], problem };
  }
  // One TTL for a set (RFC 2181, section 5.2); where a file has several the smallest is what resolvers obey.
  const ttls = set.map((record) => record.ttlSeconds);
  const ttlSeconds = Math.min(...ttls);
  const notes = ttlNotes(type, ttls, ', of which a set has one (RFC 2181, section 5.2)');
  // What stands twice in a set is one record (section 5).
  const values = [...new Set(addresses.flatMap(({ address }) => address ?? []))];
  const record = { type: type === 'A' ? ('A' as const) : ('AAAA' as const), ttl: ttlSeconds, values };
  return {
    name,
    type,
    at,
    read: (clusterOf) => ({
      ...answersOfRecord(record, clusterOf),
      notes,
      ttlSeconds,
      addresses: values,
      ...(values.length > 1 ? { together: values.length } : {}),
    }),
  };
}
