import { isNetwork } from '../../../model/geo/networks.ts';
import { compareText } from '../../../model/values.ts';
import { contentName } from '../records/hash.ts';

/** Networks of clients that records tell apart. A collection never changes: other networks are another collection, which has another key. */
export interface Collection {
  readonly key: string;
  /** Sorted by name; no network is in two of them. */
  readonly locations: readonly CollectionLocation[];
}

/** Networks that have one answer. */
export interface CollectionLocation {
  readonly name: string;
  /** Sorted, and never empty. */
  readonly networks: readonly string[];
}

/** The location that everybody is in who is in no network of a collection. */
export const elsewhere = '*';

/** The collection of these groups of networks; two of the same groups are one. */
export function collectionOf(groups: readonly (readonly string[])[]): Collection {
  const locations = groups.map((group) => {
    const networks = group.toSorted(compareText);
    return { name: contentName(networks.join(' ')), networks };
  });
  return withKey(locations);
}

/** A collection as it stands, whoever filled it. */
export function withKey(locations: readonly CollectionLocation[]): Collection {
  const sorted = locations.toSorted((a, b) => compareText(a.name, b.name));
  const content = sorted.map(({ name, networks }) => [name, ...networks].join(' ')).join('\n');
  return { key: `networks-${contentName(content)}`, locations: sorted };
}

/** The networks of answers in groups of which each has one answer, by the name of that answer. Undefined where there are none. */
export function networkGroups<T>(
  byPlace: ReadonlyMap<string, T>,
): { readonly collection: Collection; readonly answers: ReadonlyMap<string, T> } | undefined {
  const groups = Map.groupBy(
    [...byPlace].filter(([place]) => isNetwork(place)),
    ([, answer]) => answer,
  );
  if (groups.size === 0) return undefined;
  const collection = collectionOf([...groups.values()].map((members) => members.map(([place]) => place)));
  const nameOf = new Map(collection.locations.flatMap(({ name, networks }) => networks.map((one) => [one, name])));
  const answers = new Map(
    [...groups].map(([answer, [first]]) => [nameOf.get(first?.[0] ?? '') ?? '', answer] as const),
  );
  return { collection, answers };
}
