import { identityOf, type RecordSet } from '../../../answers/record.ts';
import type { BatchLimits, Limits } from '../dialects/dialect.ts';
import { SteeringError } from '../reasons.ts';
import type { Changes, WantedZone } from './changes.ts';
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
 */
export function batchesOf(wanted: WantedZone, changes: Changes, limits: Limits): readonly Batch[] {
  const { create, delete: unwanted, registryBefore } = changes;
  const done = finishedRegistry(nextGeneration(registryBefore), wanted.records, wanted.hosts);
  if (create.length + unwanted.length === 0 && sameContent(registryBefore, done)) return [];
  const allHosts = [...new Set([...wanted.hosts, ...registryBefore.hosts])];
  refuseTooManyHosts(wanted.zone, allHosts.length, limits.values);
  const largest = sizeOf([registryRecord(wanted.zone, { ...done, hosts: allHosts })]);
  const room = {
    elements: limits.batch.elements - 2 * largest.elements,
    characters: limits.batch.characters - 2 * largest.characters,
  };
  return withGenerations(wanted, changes, fillBatches(unitsOf(wanted.zone, changes), room), done);
}

/** Groups of changes that must stay in one batch, in the order in which they are made. */
function unitsOf(zone: string, changes: Changes): readonly (readonly Change[])[] {
  const isTarget = (record: RecordSet): boolean => isBelowRegistry(zone, record.name);
  const creates = changes.create.map((record): Change => ({ action: 'CREATE', record }));
  const deletes = changes.delete.map((record): Change => ({ action: 'DELETE', record }));
  const targets = (list: readonly Change[]): readonly Change[] => list.filter(({ record }) => isTarget(record));
  const hosts = new Set(
    [...deletes, ...creates].filter(({ record }) => !isTarget(record)).map(({ record }) => record.name),
  );
  const swaps = [...hosts].sort().map((host) => [...deletes, ...creates].filter(({ record }) => record.name === host));
  const replaced = replacementsOf(targets(deletes), targets(creates));
  return [
    ...replaced,
    ...leavesFirst(targets(creates).filter((change) => !replaced.flat().includes(change))).map((change) => [change]),
    ...swaps,
    ...leavesFirst(targets(deletes).filter((change) => !replaced.flat().includes(change)))
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

function fillBatches(units: readonly (readonly Change[])[], room: BatchLimits): readonly (readonly Change[])[] {
  const batches: Change[][] = [[]];
  for (const unit of units) {
    const alone = sizeOf(unit.map(({ record }) => record));
    if (alone.elements > room.elements || alone.characters > room.characters) {
      throw new SteeringError(
        'BatchTooLarge',
        `${unit[0]?.record.name ?? 'a host'} needs ${alone.elements} elements in one batch`,
      );
    }
    const current = batches.at(-1) ?? [];
    const size = sizeOf([...current, ...unit].map(({ record }) => record));
    if (size.elements > room.elements || size.characters > room.characters) batches.push([...unit]);
    else current.push(...unit);
  }
  return batches;
}

/** Adds the swap of the generation record to each step. The record lists a host from the batch that creates its answer on. */
function withGenerations(
  wanted: WantedZone,
  changes: Changes,
  steps: readonly (readonly Change[])[],
  done: Registry,
): readonly Batch[] {
  const owned = new Set(changes.registryBefore.hosts);
  let before = changes.before;
  return steps.map((step, index) => {
    for (const { action, record } of step)
      if (action === 'CREATE' && wanted.hosts.includes(record.name)) owned.add(record.name);
    const generation = nextGeneration(changes.registryBefore) + index;
    const registry = index === steps.length - 1 ? { ...done, generation } : unfinishedRegistry(generation, [...owned]);
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
