import type { RecordSet } from '../../../answers/record.ts';
import type { Collection } from '../compile/collections.ts';
import { isPastGrace, type Retired, retiredName } from './retired.ts';

/** A collection of ours as the provider holds it. */
export interface HeldCollection {
  /** The provider's own identifier. */
  readonly id: string;
  /** The key of the collection that it was made to be. It is that of its content, unless the writer was stopped or somebody changed it. */
  readonly madeFor: string;
  readonly isEmpty: boolean;
}

/** The collections of an account. */
export interface HeldCollections {
  /** Those of ours in the zone, by the key of their content. */
  readonly byKey: ReadonlyMap<string, HeldCollection>;
  /** Others of ours in the zone, which have the key of one of these. */
  readonly stray: readonly HeldCollection[];
  /** Identifiers of those of ours that the generation record says are unused; they are in no other list. */
  readonly retired: readonly string[];
  /** How many the account has, whoever made them. */
  readonly count: number;
}

/** What is to be done about collections. They are made, and filled, before any record names them, and are never changed. */
export interface CollectionChanges {
  readonly create: readonly Collection[];
  /** Identifiers of collections that no record names after this plan. A later apply deletes them. */
  readonly retire: readonly string[];
  /** Identifiers of collections that an earlier apply retired, and whose grace is over. */
  readonly delete: readonly string[];
  /** What the generation record says of retired collections after the plan. */
  readonly retired: readonly Retired[];
}

const none: HeldCollections = { byKey: new Map(), stray: [], retired: [], count: 0 };

/** How many collections an account may have, unless Route 53 was asked for more: no call tells. */
const quota = 5;

/** That a plan makes more collections than an account mostly may have, as a sentence; undefined where it does not. */
export function collectionsShort(
  zone: string,
  { create, delete: gone }: CollectionChanges,
  { count }: HeldCollections = none,
): string | undefined {
  if (create.length === 0 || count - gone.length + create.length <= quota) return undefined;
  return `the account has ${count} CIDR collections, and the zone ${zone} needs ${create.length} more; Route 53 allows ${quota}, unless it was asked for more`;
}

export interface CollectionScope {
  /** Keys of the collections that records name after the plan, and of those that they name now. */
  readonly kept: ReadonlySet<string>;
  readonly used: ReadonlySet<string>;
  readonly retired: readonly Retired[];
  /** How many more may be retired. */
  readonly retireRoom: number;
  readonly nowMs: number;
}

/** The difference of the collections that records need, and those that the provider holds. */
export function collectionChangesOf(
  wanted: readonly Collection[],
  { byKey, stray, retired }: HeldCollections = none,
  { kept, used, retired: before, retireRoom, nowMs }: CollectionScope,
): CollectionChanges {
  const create = wanted.filter(({ key }) => !byKey.has(key));
  const toFill = new Set(create.map(({ key }) => key));
  const retire = [...[...byKey].filter(([key]) => !kept.has(key)).map(([, held]) => held), ...stray]
    .filter(({ id, madeFor, isEmpty }) => !(kept.has(`id:${id}`) || (isEmpty && toFill.has(madeFor))))
    .map(({ id }) => id)
    .sort()
    .slice(0, retireRoom);
  const past = new Set(before.filter((one) => isPastGrace(one, nowMs)).map(({ name }) => name));
  const gone = retired.filter((id) => past.has(retiredName(id)) && !used.has(`id:${id}`)).sort();
  const left = new Set(retired.filter((id) => !gone.includes(id)).map(retiredName));
  const atSeconds = Math.floor(nowMs / 1000);
  return {
    create,
    retire,
    delete: gone,
    retired: [
      ...before.filter(({ name }) => left.has(name)),
      ...retire.map((id) => ({ name: retiredName(id), atSeconds })),
    ],
  };
}

/** The collections that records name, by key. */
export function collectionsOf(records: readonly RecordSet[]): ReadonlySet<string> {
  return new Set(records.flatMap(({ routing }) => (routing?.kind === 'networks' ? [routing.collection] : [])));
}
