import { z } from 'zod';
import { answersOfRecord } from './answers.ts';
import type { ZoneEntry, ZoneFile } from './zone-file.ts';

/**
 * The records of one zone as octoDNS keeps them in YAML, as far as they say who gets which address. Written from octoDNS's
 * documentation of dynamic records and its validation (1.x).
 */
const Value = z.object({
  value: z.string(),
  weight: z.number().int().min(1).max(100).default(1),
  status: z.enum(['up', 'down', 'obey']).default('obey'),
});
const Pool = z.object({ values: z.array(Value).min(1), fallback: z.string().nullish() });
const Rule = z.object({
  pool: z.string(),
  geos: z.array(z.string()).default([]),
  subnets: z.array(z.string()).default([]),
});
const AddressRecord = z.object({
  type: z.enum(['A', 'AAAA']),
  ttl: z.number().int().optional(),
  value: z.string().optional(),
  values: z.array(z.string()).optional(),
  geo: z.record(z.string(), z.array(z.string())).optional(),
  dynamic: z.object({ pools: z.record(z.string(), Pool), rules: z.array(Rule).min(1) }).optional(),
  octodns: z.object({ healthcheck: z.unknown() }).partial().optional(),
});
const TextRecord = z.object({ value: z.string().optional(), values: z.array(z.string()).optional() });
export type AddressRecord = z.infer<typeof AddressRecord>;
export type OctoPool = z.infer<typeof Pool>;

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
