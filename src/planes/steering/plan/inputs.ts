import { createHash } from 'node:crypto';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { z } from 'zod';
import type { Hold, Holds } from '../../../answers/hold.ts';
import type { RecordSet } from '../../../answers/record.ts';
import { apiVersion } from '../../../model/contract.ts';
import { drainsOfCluster } from '../../../model/platform/drains.ts';
import { entryAddresses } from '../../../model/platform/entries.ts';
import { clustersOfPolicy } from '../../../model/platform/policies.ts';
import { TrafficPolicy } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { withoutUndefined } from '../../../model/values.ts';
import { type Intent, policiesOf, type ZoneAtProvider } from '../compile/intent.ts';
import { SteeringError } from '../reasons.ts';
import { type AppliedPlan, forgottenApplies, readApplied } from '../records/applied.ts';
import type { Changes } from '../records/changes.ts';
import { findInputs, forgottenInputs, inputsRecord } from '../records/kept-inputs.ts';

/**
 * All that the records of a zone are made from: its policies, and of the clusters that these name the addresses, the health check, and
 * whether they are drained. Equal inputs have an equal digest on every machine.
 */
export interface Inputs {
  /** Sorted by name. */
  readonly policies: readonly TrafficPolicy[];
  /** Sorted by name. */
  readonly clusters: readonly ClusterInputs[];
  /** What was held back, sorted; absent where nothing was. */
  readonly holds?: readonly HoldInputs[];
}

interface HoldInputs {
  readonly policy: string;
  readonly cluster: string;
  /** Who had been led back. */
  readonly back: Hold['back'];
}

export interface ClusterInputs {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly healthCheck: Readonly<Record<string, unknown>>;
  readonly drained: boolean;
}

/** Of inputs as they were before they were packed no more is read. */
const maxBytes = 4 << 20;

/** What the zone is made from at this time. */
export function inputsOf(
  platform: Platform,
  { provider, zone }: ZoneAtProvider,
  nowMs: number,
  held: Holds = new Map(),
): Inputs {
  const policies = policiesOf(platform, provider, zone);
  const named = new Set(policies.flatMap((policy) => clustersOfPolicy(policy)));
  const clusters = [...named].sort().flatMap((name): readonly ClusterInputs[] => {
    const cluster = platform.clusters.get(name);
    if (cluster === undefined) return [];
    const addresses = entryAddresses(platform, name).map(({ text }) => text);
    const drained = drainsOfCluster(platform, name, nowMs).length > 0;
    return [{ name, addresses, healthCheck: cluster.spec.healthCheck, drained }];
  });
  const holds = policies.flatMap(({ metadata: { name } }) =>
    (held.get(name) ?? []).map(({ cluster, back }) => ({ policy: name, cluster, back })),
  );
  return { policies, clusters, ...(holds.length === 0 ? {} : { holds }) };
}

/** What was held back, as far as inputs say it. */
export function holdsIn({ holds = [] }: Inputs): Holds {
  const hold = ({ cluster, back }: HoldInputs): Hold => ({ cluster, back, sinceMs: 0, by: '', healthySeconds: 0 });
  return new Map([...Map.groupBy(holds, ({ policy }) => policy)].map(([policy, some]) => [policy, some.map(hold)]));
}

export function digestOfInputs(inputs: Inputs): string {
  return digestOf(textOf(inputs));
}

/**
 * These changes, and those of the records about earlier applies and what they were made from. Like the journals they are none of the plan's
 * own.
 */
export function withInputs(
  inputs: Inputs,
  { wanted: { zone } }: Intent,
  changes: Changes,
  records: readonly RecordSet[],
): Changes {
  if (changes.create.length + changes.delete.length === 0) return changes;
  const text = textOf(inputs);
  const digest = digestOf(text);
  const recent = [digest, ...readApplied(zone, records).map((one) => one.inputs)];
  const isKept = findInputs(zone, digest, records) !== undefined;
  const kept = isKept ? undefined : inputsRecord(zone, digest, packed(text));
  return {
    ...changes,
    create: [...changes.create, ...(kept === undefined ? [] : [kept])],
    delete: [...changes.delete, ...forgottenApplies(zone, records), ...forgottenInputs(zone, recent, records)],
  };
}

/** What an apply was made from; throws InputsGone when the zone does not hold it any more, or not whole. */
export function readInputs(
  zone: string,
  { inputs: digest, generation }: Pick<AppliedPlan, 'inputs' | 'generation'>,
  records: readonly RecordSet[],
): Inputs {
  const kept = findInputs(zone, digest, records);
  const gone = (why: string): SteeringError =>
    new SteeringError(
      'InputsGone',
      `the inputs of generation ${generation} of the zone ${zone} ${why}; take the policies of that day from the repository of the platform spec`,
    );
  if (kept === undefined) throw gone('are not kept in it any more');
  const text = unpacked(kept);
  if (text === undefined || digestOf(text) !== digest) throw gone('are damaged');
  const parsed = KeptInputs.safeParse(JSON.parse(text));
  if (!parsed.success) throw gone('are in a form that this release does not read');
  const { holds, ...rest } = parsed.data;
  return { ...rest, ...(holds === undefined ? {} : { holds }) };
}

/** Names only: what else the metadata of a policy says decides nothing. */
function textOf({ policies, clusters, holds }: Inputs): string {
  const essential = policies.map(({ metadata: { name }, spec }) => ({ metadata: { name }, spec }));
  return JSON.stringify({ policies: essential, clusters, holds });
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

function packed(text: string): string {
  const params = { [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT };
  return brotliCompressSync(text, { params }).toString('base64');
}

function unpacked(text: string): string | undefined {
  try {
    return brotliDecompressSync(Buffer.from(text, 'base64'), { maxOutputLength: maxBytes }).toString('utf8');
  } catch {
    return undefined;
  }
}

const KeptPolicy = z
  .looseObject({})
  .transform((policy): unknown => ({ apiVersion, kind: 'TrafficPolicy', ...policy }))
  .pipe(TrafficPolicy);
const KeptProgress = z.strictObject({
  upTo: z.string().optional(),
  next: z.strictObject({ code: z.string(), parts: z.number() }).optional(),
});
const KeptInputs = z.strictObject({
  policies: z.array(KeptPolicy),
  holds: z
    .array(z.strictObject({ policy: z.string(), cluster: z.string(), back: KeptProgress.transform(withoutUndefined) }))
    .optional(),
  clusters: z.array(
    z.strictObject({
      name: z.string(),
      addresses: z.array(z.string()),
      healthCheck: z.record(z.string(), z.unknown()),
      drained: z.boolean(),
    }),
  ),
});
