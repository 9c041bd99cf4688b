import { identityOf, type RecordSet } from '../../../answers/record.ts';
import { compareKeys } from '../../../model/values.ts';
import type { BatchLimits, Limits } from '../dialects/dialect.ts';
import { SteeringError } from '../reasons.ts';
import { type Change, fits, sizeOfChanges } from './change.ts';
import type { Changes, WantedZone } from './changes.ts';
import type { CheckChanges } from './checks.ts';
import { hostRecord, listing } from './host-records.ts';
import { isKeptInputs } from './kept-inputs.ts';
import {
  finishedHead,
  type Head,
  isBelowRegistry,
  nextGeneration,
  type Registry,
  registryRecord,
  unfinishedHead,
} from './registry.ts';

/** One atomic step. `changes` starts with the swap of the generation record, and is in an order that the provider accepts. */
export interface Batch {
  readonly changes: readonly Change[];
  readonly before: RecordSet | undefined;
  readonly after: RecordSet;
}

/**
 * The batches that make these changes: first new targets, then each host's swap in one piece, then the deletion of what nothing
 * refers to any more. So a stop between two batches leaves every host with its old or its new answer. Empty when nothing changes.
 * A change of health checks alone is one batch without records: it proves that no newer plan was carried out.
 */
export function batchesOf(
  wanted: WantedZone,
  changes: Changes,
  limits: Pick<Limits, 'batch'>,
  checks: Pick<CheckChanges, 'retired' | 'isFenced'> = { retired: changes.registryBefore.retired, isFenced: false },
): readonly Batch[] {
  const { create, delete: unwanted, before, registryBefore } = changes;
  const done = finishedHead(nextGeneration(registryBefore), wanted.records, checks.retired);
  const isSame = create.length + unwanted.length === 0 && isWritten(wanted, registryBefore, done);
  if (isSame && !checks.isFenced) return [];
  const { zone } = wanted;
  const writing: Writing = {
    before,
    generation: done.generation,
    between: (generation) => registryRecord(zone, unfinishedHead(generation, registryBefore.retired)),
    done: (generation) => registryRecord(zone, { ...done, generation }),
    moved: movedHosts(wanted, registryBefore),
    units: unitsOf(wanted, changes),
  };
  // What an earlier apply was made from is worth less than this one.
  const { other: room } = roomsOf(writing, limits);
  const units = writing.units.filter(
    (unit) => !unit.every(({ record }) => isKeptInputs(zone, record.name)) || fits(sizeOfChanges(unit, limits), room),
  );
  return inBatches({ ...writing, units }, limits);
}

/** What is to be written in a zone. */
interface Writing {
  /** The generation record as it stands. */
  readonly before: RecordSet | undefined;
  /** The generation that the first batch writes. */
  readonly generation: number;
  /** The generation record after each batch but the last, and after the last. */
  readonly between: (generation: number) => RecordSet;
  readonly done: (generation: number) => RecordSet;
  readonly moved?: Moved;
  /** Groups of changes that must stay in one batch, in the order in which they are made. */
  readonly units: readonly (readonly Change[])[];
}

/** As few batches as hold the changes, at least one. Throws BatchTooLarge. */
export function inBatches(writing: Writing, limits: Pick<Limits, 'batch'>): readonly Batch[] {
  const steps = fillBatches(writing, roomsOf(writing, limits), limits);
  let { before } = writing;
  return steps.map((step, index) => {
    const after = (index === steps.length - 1 ? writing.done : writing.between)(writing.generation + index);
    const batch: Batch = { changes: [...swapOf(before, after), ...step], before, after };
    before = after;
    return batch;
  });
}

function swapOf(before: RecordSet | undefined, after: RecordSet): readonly Change[] {
  const creation: Change = { action: 'CREATE', record: after };
  return before === undefined ? [creation] : [{ action: 'DELETE', record: before }, creation];
}

interface Moved {
  readonly changes: readonly Change[];
  /** True when some of the hosts leave, so that what is created here is deleted by this plan. */
  readonly isAlone: boolean;
}

/** The host records of hosts that only the generation record lists, because a release that had no host records wrote it. */
function movedHosts({ zone, hosts }: WantedZone, { listed, hostRecords }: Registry): Moved {
  const wanted = new Set(hosts);
  return {
    changes: listed.flatMap((host) => listing(zone, host, hostRecords)),
    isAlone: listed.some((host) => !wanted.has(host)),
  };
}

/** What a batch has room for beside what it must hold: the first one, and each other. */
interface Rooms {
  readonly first: BatchLimits;
  readonly other: BatchLimits;
}

/**
 * The rooms beside the swap of the generation record, with as much as it may say between and after the batches; in the first one also
 * beside the hosts that are moved.
 */
function roomsOf({ before, generation, between, done, moved }: Writing, limits: Pick<Limits, 'batch'>): Rooms {
  const heads = [between(generation), done(generation)];
  const beside = (swaps: readonly (readonly Change[])[], more: readonly Change[]): BatchLimits => {
    const sizes = swaps.map((swap) => sizeOfChanges([...swap, ...more], limits));
    return {
      elements: limits.batch.elements - Math.max(...sizes.map(({ elements }) => elements)),
      characters: limits.batch.characters - Math.max(...sizes.map(({ characters }) => characters)),
    };
  };
  const swapsFrom = (starts: readonly (RecordSet | undefined)[]): readonly (readonly Change[])[] =>
    starts.flatMap((start) => heads.map((head) => swapOf(start, head)));
  return { first: beside(swapsFrom([before]), moved?.changes ?? []), other: beside(swapsFrom(heads), []) };
}

/**
 * True when the generation record needs no change of its own. A plan that leaves hosts as they stand does not approve of what they
 * hold by a digest.
 */
function isWritten({ hosts, partial }: WantedZone, before: Registry, done: Head): boolean {
  return before.hosts.join() === [...hosts].sort().join() && (partial === true || before.digest === done.digest);
}

/** Groups of changes that must stay in one batch, in the order in which they are made. */
function unitsOf(wanted: WantedZone, changes: Changes): readonly (readonly Change[])[] {
  const isTarget = (record: RecordSet): boolean => isBelowRegistry(wanted.zone, record.name);
  const creates = changes.create.map((record): Change => ({ action: 'CREATE', record }));
  const deletes = changes.delete.map((record): Change => ({ action: 'DELETE', record }));
  const targets = (list: readonly Change[]): readonly Change[] => list.filter(({ record }) => isTarget(record));
  const replaced = replacementsOf(targets(deletes), targets(creates));
  const isReplaced = new Set(replaced.flat());
  const others = (list: readonly Change[]): readonly Change[] =>
    leavesFirst(targets(list).filter((change) => !isReplaced.has(change)));
  return [
    ...replaced,
    ...others(creates).map((change) => [change]),
    ...swapsOf(
      wanted,
      changes.registryBefore,
      [...deletes, ...creates].filter(({ record }) => !isTarget(record)),
    ),
    ...others(deletes)
      .toReversed()
      .map((change) => [change]),
  ];
}

/** The changes of each host, with that of its host record when it becomes ours or is ours no more; sorted by host. */
function swapsOf(
  { zone, hosts }: WantedZone,
  { hosts: hostsBefore, hostRecords }: Registry,
  answers: readonly Change[],
): readonly (readonly Change[])[] {
  const swaps = new Map<string, readonly Change[]>(Map.groupBy(answers, ({ record }) => record.name));
  const add = (host: string, more: readonly Change[]): void => {
    swaps.set(host, [...(swaps.get(host) ?? []), ...more]);
  };
  const [before, after] = [new Set(hostsBefore), new Set(hosts)];
  for (const host of after) if (!before.has(host)) add(host, listing(zone, host, hostRecords));
  for (const host of before)
    if (!after.has(host)) {
      add(host, [{ action: 'DELETE', record: hostRecords.byHost.get(host) ?? hostRecord(zone, host) }]);
    }
  return [...swaps].sort(compareKeys).map(([, swap]) => swap);
}

/** Targets that are both deleted and created: somebody changed them by hand, and they are put back in one step. */
function replacementsOf(deletes: readonly Change[], creates: readonly Change[]): readonly (readonly Change[])[] {
  const byId = new Map(creates.map((change) => [identityOf(change.record), change]));
  return deletes.flatMap((change) => {
    const create = byId.get(identityOf(change.record));
    return create === undefined ? [] : [[change, create]];
  });
}

/** The changes in an order in which records stand before the aliases that lead to them. */
function leavesFirst(changes: readonly Change[]): readonly Change[] {
  const byName = Map.groupBy(changes, ({ record }) => `${record.name} ${record.type}`);
  const ordered = new Set<Change>();
  const visit = (key: string): void => {
    const group = byName.get(key);
    if (group === undefined) return;
    byName.delete(key);
    for (const { record } of group) if (record.target.kind === 'alias') visit(`${record.target.name} ${record.type}`);
    for (const change of group) ordered.add(change);
  };
  for (const key of byName.keys()) visit(key);
  return [...ordered];
}

function fillBatches(
  { moved = { changes: [], isAlone: false }, units }: Writing,
  rooms: Rooms,
  limits: Pick<Limits, 'batch'>,
): readonly (readonly Change[])[] {
  const nothing: BatchLimits = { elements: 0, characters: 0 };
  const batches: Change[][] = [[...moved.changes]];
  if (moved.isAlone || !fits(nothing, rooms.first)) batches.push([]);
  let size = nothing;
  for (const unit of units) {
    const alone = sizeOfChanges(unit, limits);
    const both = { elements: size.elements + alone.elements, characters: size.characters + alone.characters };
    if (fits(both, batches.length === 1 ? rooms.first : rooms.other)) {
      batches.at(-1)?.push(...unit);
      size = both;
      continue;
    }
    refuseLarge(unit, alone, rooms.other);
    batches.push([...unit]);
    size = alone;
  }
  return batches;
}

function refuseLarge(unit: readonly Change[], size: BatchLimits, room: BatchLimits): void {
  if (fits(size, room)) return;
  const name = unit[0]?.record.name ?? 'a host';
  throw new SteeringError(
    'BatchTooLarge',
    `${name} takes ${size.elements} elements and ${size.characters} characters in one batch, which has room for ${room.elements} and ${room.characters} beside the generation record`,
  );
}
