import type { RecordSet } from '../../../answers/record.ts';
import type { Dialect } from '../dialects/dialect.ts';
import { SteeringError } from '../reasons.ts';
import type { Batch } from './batches.ts';
import {
  emptyRegistry,
  findRegistry,
  parseRegistry,
  type Registry,
  refuseTooManyHosts,
  registryRecord,
  remainsOf,
  unfinishedRegistry,
} from './registry.ts';

/** A generation record made anew from what the zone holds. */
export interface Restoration {
  /** The one batch that writes it, and nothing else; undefined when the record is whole. */
  readonly batch: Batch | undefined;
  readonly generation: number;
  /** The hosts that it lists, and by what they are recognised. */
  readonly recognised: readonly Found[];
  /** Hosts that look like ours in part, and why they are not taken. */
  readonly left: readonly Found[];
}

interface Found {
  readonly host: string;
  readonly by: string;
}

/**
 * Lists the hosts whose answers are ours beyond doubt. The record is written as if a plan stopped after it, so that the next plan compares
 * everything. Its generation is one that no writer can have seen: beyond that of the damaged record and, as that may be lost, beyond a
 * thousand for each day since 1970.
 */
export function restorationOf(
  zone: string,
  records: readonly RecordSet[],
  dialect: Pick<Dialect, 'answerTypes' | 'recognise' | 'limits'>,
  nowMs: number,
): Restoration {
  const before = findRegistry(zone, records);
  const whole = before === undefined ? undefined : parseRegistry(before);
  const remains = before === undefined ? { generation: 0, hosts: [] } : remainsOf(before);
  if (remains === undefined) {
    throw new SteeringError(
      'UnreadableRegistry',
      `nothing in ${before?.name} TXT is of Tideline, so it is not replaced; delete it first if nobody needs it`,
    );
  }
  const found = candidatesOf(records, dialect).map((host) => ({ host, ...dialect.recognise(host, records, zone) }));
  const listed = new Map((whole?.hosts ?? []).map((host) => [host, 'the generation record lists it']));
  for (const { host, isOurs, by = '' } of found) if (isOurs === true && !listed.has(host)) listed.set(host, by);
  const recognised = [...listed].map(([host, by]) => ({ host, by })).sort((a, b) => (a.host < b.host ? -1 : 1));
  const left = [
    ...found.flatMap(({ host, isOurs, by = '' }) => (isOurs === false && !listed.has(host) ? [{ host, by }] : [])),
    ...remains.hosts
      .filter((host) => !listed.has(host) && !found.some((one) => one.host === host && one.by !== undefined))
      .map((host) => ({ host, by: 'the damaged record lists it, but no answer of it is ours' })),
  ];
  const hosts = recognised.map(({ host }) => host);
  refuseTooManyHosts(zone, hosts.length, dialect.limits.values);
  const current = whole ?? emptyRegistry;
  const isWhole =
    (whole !== undefined || (before === undefined && hosts.length === 0)) && hosts.length === current.hosts.length;
  if (isWhole) return { batch: undefined, generation: current.generation, recognised, left };
  const generation =
    whole === undefined ? Math.max(remains.generation + 1, dayGeneration(nowMs)) : whole.generation + 1;
  return { batch: batchOf(zone, before, unfinishedRegistry(generation, hosts)), generation, recognised, left };
}

function batchOf(zone: string, before: RecordSet | undefined, registry: Registry): Batch {
  const after = registryRecord(zone, registry);
  const deletion = before === undefined ? [] : [{ action: 'DELETE' as const, record: before }];
  return { before, after, changes: [...deletion, { action: 'CREATE', record: after }] };
}

const dayMs = 86_400_000;
const generationsADay = 1000;

const dayGeneration = (nowMs: number): number => Math.floor(nowMs / dayMs) * generationsADay;

function candidatesOf(records: readonly RecordSet[], { answerTypes }: Pick<Dialect, 'answerTypes'>): readonly string[] {
  return [...new Set(records.flatMap(({ name, type }) => (answerTypes.includes(type) ? [name] : [])))].filter(
    (name) => !name.includes('._tideline.'),
  );
}
