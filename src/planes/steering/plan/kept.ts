import { z } from 'zod';
import type { RecordSet } from '../../../answers/record.ts';
import { continents } from '../../../model/geo/countries.ts';
import { providers } from '../providers/table.ts';
import { badInput } from '../reasons.ts';
import { isBelowRegistry } from '../records/registry.ts';
import type { ZonePlan } from './plan.ts';

/** Records of others that an adoption replaced, so that they can be put back. */
export interface Kept {
  readonly provider: ZonePlan['provider'];
  readonly zone: string;
  readonly host: string;
  /** The generation of the zone that had them still. */
  readonly generation: number;
  readonly records: readonly RecordSet[];
}

/** What an adoption replaces; undefined for any other plan, and when there is nothing to replace. */
export function keptOf({ provider, zone, task, changes }: ZonePlan): Kept | undefined {
  if (task.kind !== 'adopt') return undefined;
  const records = changes.delete.filter(({ name }) => !isBelowRegistry(zone, name));
  if (records.length === 0) return undefined;
  return { provider, zone, host: task.host, generation: changes.registryBefore.generation, records };
}

/** Reads what was kept of a host; throws an InputError for anything else. */
export function readKept(text: string, { file, host }: { readonly file: string; readonly host: string }): Kept {
  const parsed = KeptFile.safeParse(parseJson(text));
  const isOfHost =
    parsed.success &&
    [parsed.data, ...parsed.data.records.map(({ name }) => ({ host: name }))].every((one) => one.host === host);
  if (parsed.success && isOfHost) return parsed.data as Kept;
  throw badInput(
    'UnreadableKept',
    `${file} does not hold replaced records of ${host}`,
    'name the file that `tideline steering adopt` printed when it replaced the records',
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const Location = z.union([
  z.literal('*'),
  z.strictObject({ country: z.string() }),
  z.strictObject({ continent: z.enum(continents) }),
]);
const KeptRecord = z.strictObject({
  name: z.string(),
  type: z.string(),
  setIdentifier: z.string().optional(),
  routing: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('geo'), location: Location }),
      z.strictObject({ kind: z.literal('weighted'), weight: z.int() }),
      z.strictObject({ kind: z.literal('failover'), role: z.enum(['PRIMARY', 'SECONDARY']) }),
      z.strictObject({
        kind: z.literal('other'),
        description: z.string(),
        fields: z.record(z.string(), z.unknown()).optional(),
      }),
    ])
    .optional(),
  target: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('values'), ttlSeconds: z.int(), values: z.array(z.string()) }),
    z.strictObject({
      kind: z.literal('alias'),
      name: z.string(),
      evaluateHealth: z.boolean(),
      zoneId: z.string().optional(),
    }),
  ]),
  healthCheck: z.string().optional(),
});
const KeptFile = z.strictObject({
  provider: z.enum(Object.keys(providers) as [Kept['provider'], ...Kept['provider'][]]),
  zone: z.string(),
  host: z.string(),
  generation: z.int(),
  records: z.array(KeptRecord).min(1),
});
