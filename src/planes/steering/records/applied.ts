import type { RecordSet } from '../../../answers/record.ts';
import type { Limits } from '../dialects/dialect.ts';
import type { Batch, Change } from './batches.ts';
import { signature } from './journal.ts';
import { ownedName } from './registry.ts';

/** A plan that was carried out in a zone, as the TXT record set `_applied._tideline.<zone>` says, which its last batch swaps. */
export interface AppliedPlan {
  /** Checksum of the whole plan, which may speak of other zones as well. */
  readonly plan: string;
  /** Milliseconds since the epoch, whole seconds. */
  readonly atMs: number;
  readonly by: string;
  /** The generation that the plan wrote last. */
  readonly generation: number;
}

/** So many plans are remembered. */
const mostPlans = 8;
const ttlSeconds = 60;

/** The limits with room in each batch for the swap of the record. */
export function withRoom(limits: Limits): Limits {
  const elements = limits.batch.elements - 2 * mostPlans;
  const characters = limits.batch.characters - 2 * mostPlans * longestValue;
  return { ...limits, batch: { ...limits.batch, elements, characters } };
}

const longestValue = 110;

/** The plans that were applied last, the latest first. */
export function readApplied(zone: string, records: readonly RecordSet[]): readonly AppliedPlan[] {
  const record = findApplied(zone, records);
  if (record?.target.kind !== 'values') return [];
  return record.target.values.flatMap(parse).sort((a, b) => b.generation - a.generation);
}

/** The batches, of which the last one also says that the plan was applied. */
export function withApplied(
  batches: readonly Batch[],
  zone: string,
  records: readonly RecordSet[],
  applied: AppliedPlan,
): readonly Batch[] {
  const last = batches.at(-1);
  if (last === undefined) return batches;
  const before = findApplied(zone, records);
  const kept = [applied, ...readApplied(zone, records)].slice(0, mostPlans);
  const record: RecordSet = {
    name: appliedName(zone),
    type: 'TXT',
    target: { kind: 'values', ttlSeconds, values: kept.map(textOf).sort() },
  };
  const swap: readonly Change[] = [
    ...(before === undefined ? [] : [{ action: 'DELETE', record: before } as const]),
    { action: 'CREATE', record },
  ];
  return [...batches.slice(0, -1), { ...last, changes: [...last.changes, ...swap] }];
}

const appliedName = (zone: string): string => ownedName(zone, '_applied');

function findApplied(zone: string, records: readonly RecordSet[]): RecordSet | undefined {
  const name = appliedName(zone);
  return records.find((record) => record.name === name && record.type === 'TXT');
}

function textOf({ plan, atMs, by, generation }: AppliedPlan): string {
  return `"plan=${plan} at=${Math.floor(atMs / 1000)} by=${signature(by)} generation=${generation}"`;
}

function parse(value: string): readonly AppliedPlan[] {
  const form = /^plan=([0-9a-f]{16}) at=(\d+) by=(\S+) generation=(\d+)$/;
  const [, plan, at, by, generation] = form.exec(value.replaceAll('"', '')) ?? [];
  if (plan === undefined || by === undefined) return [];
  return [{ plan, atMs: Number(at) * 1000, by, generation: Number(generation) }];
}
