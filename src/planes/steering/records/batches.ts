import { identityOf, type RecordSet } from '../../../answers/record.ts';
import { compareKeys } from '../../../model/values.ts';
import type { BatchLimits, Limits } from '../dialects/dialect.ts';
import { SteeringError } from '../reasons.ts';
import type { Changes, WantedZone } from './changes.ts';
import type { CheckChanges } from './checks.ts';
import { isKeptInputs } from './kept-inputs.ts';
import {
  finishedRegistry,
  isBelowRegistry,
  nextGeneration,
  type Registry,
  refuseTooManyHosts,
  registryRecord,
  sameContent,
  unfinishedRegistry,
} from './registry.ts';

/** One atomic step. `changes` starts with the swap of the generation record, and is in an order that the provider accepts. */
export interface Batch {
  readonly changes: readonly Change[];
  readonly before: RecordSet | undefined;
  readonly after: RecordSet;
}

export interface Change {
  readonly action: 'CREATE' | 'DELETE';
  readonly record: RecordSet;
}

/**
 * The batches that make these changes: first new targets, then each host's swap in one piece, then the deletion of what nothing
 * refers to any more. So a stop between two batches leaves every host with its old or its new answer. Empty when nothing changes.
 * A change of health checks alone is one batch without records: it proves that no newer plan was carried out.
 */
export function batchesOf(
  wanted: WantedZone,
  changes: Changes,
  limits: Limits,
  checks: Pick<CheckChanges, 'retired' | 'isFenced'> = { retired: changes.registryBefore.retired, isFenced: false },
): readonly Batch[] {
  const { create, delete: unwanted, registryBefore } = changes;
  const done = finishedRegistry(nextGeneration(registryBefore), wanted.records, wanted.hosts, checks.retired);
  const isSame = create.length + unwanted.length === 0 && isWritten(wanted, registryBefore, done);
  if (isSame && !checks.isFenced) return [];
  const allHosts = [...new Set([...wanted.hosts, ...registryBefore.hosts])];
  refuseTooManyHosts(wanted.zone, allHosts.length, limits.values);
  const registry = registryRecord(wanted.zone, { ...done, hosts: allHosts });
  const room = roomBeside(registry, allHosts.length, limits);
  // What an earlier apply was made from is worth less than this one.
  const units = unitsOf(wanted.zone, changes).filter(
    (unit) =>
      !unit.every(({ record }) => isKeptInputs(wanted.zone, record.name)) || fits(sizeOfChanges(unit, limits), room),
  );
  return withGenerations(wanted, changes, fillBatches(units, room, limits), done);
}

/** What a batch can hold beside the swap of the generation record. Throws BatchTooLarge when that takes all of it. */
function roomBeside(registry: RecordSet, hosts: number, limits: Limits): BatchLimits {
  const swap = sizeOfChanges(
    [
      { action: 'DELETE', record: registry },
      { action: 'CREATE', record: registry },
    ],
    limits,
  );
  const { elements, characters } = limits.batch;
  const room = { elements: elements - swap.elements, characters: characters - swap.characters };
  if (room.elements > 0 && room.characters >= 0) return room;
  throw new SteeringError(
    'BatchTooLarge',
    `the generation record ${registry.name} lists ${hosts} hosts; to swap it takes ${swap.characters} characters and ${swap.elements} elements of a batch, the provider takes ${characters} and ${elements}: give some of the hosts a zone of their own, or shorter names`,
  );
}

/**
 * True when the generation record needs no change of its own. A plan that leaves hosts as they stand does not approve of what they
 * hold by a digest.
 */
function isWritten({ partial }: WantedZone, before: Registry, done: Registry): boolean {
  return sameContent(before, partial === true ? { ...done, digest: before.digest } : done);
}

/** Groups of changes that must stay in one batch, in the order in which they are made. */
function unitsOf(zone: string, changes: Changes): readonly (readonly Change[])[] {
  const isTarget = (record: RecordSet): boolean => isBelowRegistry(zone, record.name);
  const creates = changes.create.map((record): Change => ({ action: 'CREATE', record }));
  const deletes = changes.delete.map((record): Change => ({ action: 'DELETE', record }));
  const targets = (list: readonly Change[]): readonly Change[] => list.filter(({ record }) => isTarget(record));
  const ofHosts = [...deletes, ...creates].filter(({ record }) => !isTarget(record));
  const swaps = [...Map.groupBy(ofHosts, ({ record }) => record.name)].sort(compareKeys).map(([, swap]) => swap);
  const replaced = replacementsOf(targets(deletes), targets(creates));
  const isReplaced = new Set(replaced.flat());
  const others = (list: readonly Change[]): readonly Change[] =>
    leavesFirst(targets(list).filter((change) => !isReplaced.has(change)));
  return [
    ...replaced,
    ...others(creates).map((change) => [change]),
    ...swaps,
    ...others(deletes)
      .toReversed()
      .map((change) => [change]),
  ];
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
  units: readonly (readonly Change[])[],
  room: BatchLimits,
  limits: Limits,
): readonly (readonly Change[])[] {
  const batches: Change[][] = [[]];
  let size: BatchLimits = { elements: 0, characters: 0 };
  for (const unit of units) {
    const alone = sizeOfChanges(unit, limits);
    if (!fits(alone, room)) {
      const name = unit[0]?.record.name ?? 'a host';
      throw new SteeringError(
        'BatchTooLarge',
        `${name} takes ${alone.elements} elements and ${alone.characters} characters in one batch, which has room for ${room.elements} and ${room.characters} beside the generation record`,
      );
    }
    const both = { elements: size.elements + alone.elements, characters: size.characters + alone.characters };
    if (fits(both, room)) batches.at(-1)?.push(...unit);
    else batches.push([...unit]);
    size = fits(both, room) ? both : alone;
  }
  return batches;
}

const fits = (size: BatchLimits, room: BatchLimits): boolean =>
  size.elements <= room.elements && size.characters <= room.characters;

/**
 * Adds the swap of the generation record to each step. The record lists a host from the batch on that creates its answer, until the
 * one that deletes it or makes it somebody else's.
 */
function withGenerations(
  wanted: WantedZone,
  changes: Changes,
  steps: readonly (readonly Change[])[],
  done: Registry,
): readonly Batch[] {
  const owned = new Set(changes.registryBefore.hosts);
  let before = changes.before;
  return steps.map((step, index) => {
    for (const { action, record } of step) {
      if (!wanted.hosts.includes(record.name)) owned.delete(record.name);
      else if (action === 'CREATE') owned.add(record.name);
    }
    const generation = nextGeneration(changes.registryBefore) + index;
    const registry =
      index === steps.length - 1
        ? { ...done, generation }
        : unfinishedRegistry(generation, [...owned], changes.registryBefore.retired);
    const after = registryRecord(wanted.zone, registry);
    const swap: Change[] = [{ action: 'CREATE', record: after }];
    if (before !== undefined) swap.unshift({ action: 'DELETE', record: before });
    const batch: Batch = { changes: [...swap, ...step], before, after };
    before = after;
    return batch;
  });
}

/**
 * The size of records as Route 53 counts and dialects state their limits: an alias or a value is one element; only values have
 * characters.
 */
export function sizeOf(records: readonly RecordSet[]): BatchLimits {
  let elements = 0;
  let characters = 0;
  for (const { target } of records) {
    elements += target.kind === 'alias' ? 1 : target.values.length;
    if (target.kind === 'values') characters += target.values.reduce((sum, value) => sum + value.length, 0);
  }
  return { elements, characters };
}

/** What changes take of a batch. */
function sizeOfChanges(changes: readonly Change[], { batch }: Limits): BatchLimits {
  if (batch.deletions === 'counted') return sizeOf(changes.map(({ record }) => record));
  const created = sizeOf(changes.filter(({ action }) => action === 'CREATE').map(({ record }) => record));
  const deleted = changes.filter(({ action }) => action === 'DELETE').length;
  return { elements: created.elements + deleted, characters: created.characters };
}
