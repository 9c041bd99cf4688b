import type { RecordSet } from '../../../answers/record.ts';
import type { Dialect } from '../dialects/dialect.ts';
import { SteeringError } from '../reasons.ts';
import { type Batch, inBatches } from './batches.ts';
import type { Change } from './change.ts';
import { type HostRecords, hostRecordsOf, listing } from './host-records.ts';
import {
  findRegistry,
  type Listing,
  parseHead,
  registryRecord,
  remainsOf,
  unfinishedHead,
  unrestoredRecord,
} from './registry.ts';

/** A generation record, and the records of hosts, made anew from what the zone holds. */
export interface Restoration {
  /** Those that write them, and nothing else; none when they are whole. */
  readonly batches: readonly Batch[];
  readonly generation: number;
  /** The hosts that it lists, and by what they are recognised. */
  readonly recognised: readonly Trace[];
  /** Hosts that look like ours in part, and why they are not taken. */
  readonly left: readonly Trace[];
}

interface Trace {
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
  const head = before === undefined ? undefined : parseHead(before);
  const remains = before === undefined ? { generation: 0, listed: [] } : remainsOf(before);
  if (remains === undefined) {
    throw new SteeringError(
      'UnreadableRegistry',
      `nothing in ${before?.name} TXT is of Tideline, so it is not replaced; delete it first if nobody needs it`,
    );
  }
  const hostRecords = hostRecordsOf(zone, records);
  const traces = new Map<string, string>([
    ...remains.listed.map((host) => [host, 'the generation record lists it'] as const),
    ...[...hostRecords.byHost.keys()].map((host) => [host, 'its host record says so'] as const),
  ]);
  const found = candidatesOf(records, dialect).map((host) => ({ host, ...dialect.recognise(host, records, zone) }));
  const ours = new Map(head === undefined ? [] : traces);
  for (const { host, isOurs, by = '' } of found) if (isOurs === true && !ours.has(host)) ours.set(host, by);
  const recognised = [...ours].map(([host, by]) => ({ host, by })).sort((a, b) => (a.host < b.host ? -1 : 1));
  const left = [
    ...found.flatMap(({ host, isOurs, by = '' }) => (isOurs === false && !ours.has(host) ? [{ host, by }] : [])),
    ...[...traces]
      .filter(([host]) => !ours.has(host) && !found.some((one) => one.host === host && one.by !== undefined))
      .map(([host, by]) => ({ host, by: `${by}, but no answer of it is ours` })),
  ];
  const writing = writingOf(zone, { head, hostRecords }, new Set(ours.keys()));
  const isWhole = writing.units.length === 0 && (head !== undefined || (before === undefined && ours.size === 0));
  if (isWhole) return { batches: [], generation: remains.generation, recognised, left };
  const generation = head === undefined ? Math.max(remains.generation + 1, dayGeneration(nowMs)) : head.generation + 1;
  const batches = inBatches({ ...writing, before, generation }, dialect.limits);
  return { batches, generation: generation + batches.length - 1, recognised, left };
}

interface Found {
  readonly head: Listing | undefined;
  readonly hostRecords: HostRecords;
}

/** Lists the hosts, and no others. What stands between two batches is as good as what stood before: whole, or in no form. */
function writingOf(zone: string, { head, hostRecords }: Found, ours: ReadonlySet<string>) {
  const list = (hosts: readonly string[]): readonly (readonly Change[])[] =>
    hosts.map((host) => listing(zone, host, hostRecords));
  const missing = [...ours].filter((host) => !hostRecords.byHost.has(host)).sort();
  const known = new Set(head?.listed);
  const surplus = [...hostRecords.byHost].flatMap(([host, record]): readonly (readonly Change[])[] =>
    ours.has(host) ? [] : [[{ action: 'DELETE', record }]],
  );
  const done = (generation: number): RecordSet => registryRecord(zone, unfinishedHead(generation, head?.retired));
  return {
    between: head === undefined ? (generation: number) => unrestoredRecord(zone, generation) : done,
    done,
    moved: { changes: list(missing.filter((host) => known.has(host))).flat(), isAlone: false },
    units: [...surplus, ...list(missing.filter((host) => !known.has(host)))],
  };
}

const dayMs = 86_400_000;
const generationsADay = 1000;

const dayGeneration = (nowMs: number): number => Math.floor(nowMs / dayMs) * generationsADay;

function candidatesOf(records: readonly RecordSet[], { answerTypes }: Pick<Dialect, 'answerTypes'>): readonly string[] {
  return [...new Set(records.flatMap(({ name, type }) => (answerTypes.includes(type) ? [name] : [])))].filter(
    (name) => !name.includes('._tideline.'),
  );
}
