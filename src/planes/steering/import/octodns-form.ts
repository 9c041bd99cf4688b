import { z } from 'zod';

/** The form of octoDNS's records, as far as an import reads them. */
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
export const AddressRecord = z.object({
  type: z.enum(['A', 'AAAA']),
  ttl: z.number().int().optional(),
  value: z.string().optional(),
  values: z.array(z.string()).optional(),
  geo: z.record(z.string(), z.array(z.string())).optional(),
  dynamic: z.object({ pools: z.record(z.string(), Pool), rules: z.array(Rule).min(1) }).optional(),
  octodns: z.object({ healthcheck: z.unknown() }).partial().optional(),
});
export const TextRecord = z.object({ value: z.string().optional(), values: z.array(z.string()).optional() });
const Server = z.union([
  z.string(),
  // Of MX `exchange`, of old files `value`; of SRV `target`.
  z.object({ exchange: z.string().optional(), value: z.string().optional(), target: z.string().optional() }),
]);
/** NS, MX and SRV. */
export const ServerRecord = z.object({ value: Server.optional(), values: z.array(Server).optional() });
export type AddressRecord = z.infer<typeof AddressRecord>;
export type OctoPool = z.infer<typeof Pool>;
