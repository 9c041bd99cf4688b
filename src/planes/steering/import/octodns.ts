import { z } from 'zod';
import { answersOfRecord } from './answers.ts';
import { AddressRecord, ServerRecord, TextRecord } from './octodns-form.ts';
import { serverTypes, type ZoneEntry, type ZoneFile } from './zone-file.ts';

/**
 * The records of one zone as octoDNS keeps them in YAML, as far as they say who gets which address. Written from octoDNS's
 * documentation of dynamic records and its validation (1.x).
 */
const addressTypes: readonly unknown[] = ['A', 'AAAA'];

/** Reads the value of a zone file; throws an Error that says what is not of octoDNS's form. */
export function parseZoneFile(value: unknown): ZoneFile {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('expected a mapping from names of records to records');
  const entries = Object.entries(value).flatMap(([name, records]) =>
    (Array.isArray(records) ? records : [records]).map((record) => entryOf(name, record)),
  );
  return { entries };
}

function entryOf(name: string, record: unknown): ZoneEntry {
  const type = z.object({ type: z.string() }).safeParse(record).data?.type;
  if (type === undefined) throw new Error(`expected the record ${name === '' ? "''" : name} to have a type`);
  if (type === 'TXT') return { name, type, texts: textsOf(record) };
  if (serverTypes.includes(type)) return { name, type, leadsTo: serversOf(record) };
  if (!addressTypes.includes(type)) return { name, type };
  const parsed = AddressRecord.safeParse(record);
  if (parsed.success) return { name, type, read: readerOf(parsed.data) };
  const [issue] = parsed.error.issues;
  return { name, type, problem: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}` };
}

/** octoDNS escapes semicolons. */
function textsOf(record: unknown): readonly string[] {
  const { value, values = [] } = TextRecord.catch({}).parse(record);
  return [...(value === undefined ? [] : [value]), ...values].map((text) => text.replaceAll('\\;', ';'));
}

/** The names that NS, MX and SRV records lead to; a value that octoDNS would not take leads to none. */
function serversOf(record: unknown): readonly string[] {
  const { value, values = [] } = ServerRecord.catch({}).parse(record);
  return [...(value === undefined ? [] : [value]), ...values].flatMap((one) => {
    const target = typeof one === 'string' ? one : (one.exchange ?? one.value ?? one.target);
    return target === undefined ? [] : [target.toLowerCase().replace(/\.$/, '')];
  });
}

/** The time to live, in seconds, of a record of octoDNS that names none. */
const octoTtl = 3600;

function readerOf(record: AddressRecord): NonNullable<ZoneEntry['read']> {
  const { dynamic, values = [], ttl = octoTtl, octodns } = record;
  return (clusterOf) => ({
    ...answersOfRecord(record, clusterOf),
    ttlSeconds: ttl,
    addresses: addressesOf(record),
    ...(dynamic === undefined && values.length > 1 ? { together: values.length } : {}),
    checked: octodns?.healthcheck !== undefined,
  });
}

function addressesOf({ value, values = [], geo = {}, dynamic }: AddressRecord): readonly string[] {
  const pooled = Object.values(dynamic?.pools ?? {}).flatMap((pool) => pool.values.map((one) => one.value));
  return [...(value === undefined ? [] : [value]), ...values, ...Object.values(geo).flat(), ...pooled];
}
