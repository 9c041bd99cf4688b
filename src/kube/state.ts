import type { AnyObject, Kind } from './kinds.ts';
import { kinds } from './kinds.ts';
import { deepEqual } from './objects/equal.ts';
import type { ObjectKey } from './objects/metadata.ts';
import type { ClusterChange, ClusterState } from './source.ts';

/** Objects by kind and key, before they become a state. */
export type ObjectsByKind = ReadonlyMap<Kind, ReadonlyMap<ObjectKey, AnyObject>>;

export const emptyState: ClusterState = stateOf(0, new Map());

/** Makes a state. The map of each kind must hold objects of that kind only. */
export function stateOf(revision: number, objects: ObjectsByKind): ClusterState {
  const byKind = Object.fromEntries(kinds.map((kind) => [kind, objects.get(kind) ?? new Map<ObjectKey, AnyObject>()]));
  // `kinds` is every kind, and the caller pairs kinds and objects rightly.
  return { revision, objects: byKind as unknown as ClusterState['objects'] };
}

export function objectsOfKind(state: ClusterState, kind: Kind): ReadonlyMap<ObjectKey, AnyObject> {
  return state.objects[kind];
}

/** The number of objects of all kinds together. */
export function countObjects(objects: ObjectsByKind): number {
  let count = 0;
  for (const ofKind of objects.values()) count += ofKind.size;
  return count;
}

export function countState(state: ClusterState): number {
  let count = 0;
  for (const kind of kinds) count += objectsOfKind(state, kind).size;
  return count;
}

/** Changes of one kind by key: the new object, or undefined for a removal. */
export type Edits = ReadonlyMap<ObjectKey, AnyObject | undefined>;

export function withEdits(before: ReadonlyMap<ObjectKey, AnyObject>, edits: Edits): ReadonlyMap<ObjectKey, AnyObject> {
  const objects = new Map(before);
  for (const [key, object] of edits) {
    if (object === undefined) objects.delete(key);
    else objects.set(key, object);
  }
  return objects;
}

/**
 * The next snapshot, made from the changes since `current`. The result is that of `advance`, at the cost of one copy of the map
 * of each kind that changed, however large the others are. An edit that gives an equal object is ignored. Undefined when
 * nothing differs.
 */
export function edit(current: ClusterState, edits: ReadonlyMap<Kind, Edits>): ClusterChange | undefined {
  const changed = new Map<Kind, ReadonlySet<ObjectKey>>();
  const objects = new Map<Kind, ReadonlyMap<ObjectKey, AnyObject>>();
  for (const kind of kinds) {
    const before = objectsOfKind(current, kind);
    const real = new Map<ObjectKey, AnyObject | undefined>();
    for (const [key, object] of edits.get(kind) ?? []) {
      const old = before.get(key);
      if (old !== object && !(old !== undefined && deepEqual(old, object))) real.set(key, object);
    }
    objects.set(kind, real.size === 0 ? before : withEdits(before, real));
    if (real.size > 0) changed.set(kind, new Set(real.keys()));
  }
  if (changed.size === 0) return undefined;
  return { state: stateOf(current.revision + 1, objects), changed };
}

/**
 * The next snapshot, made from all objects. Unchanged objects and unchanged kinds are shared with `current`, so that consumers
 * may compare by identity. Undefined when nothing differs. With `keepMissing`, objects that `next` lacks stay, because a loss
 * is not a deletion.
 */
export function advance(current: ClusterState, next: ObjectsByKind, keepMissing: boolean): ClusterChange | undefined {
  const changed = new Map<Kind, ReadonlySet<ObjectKey>>();
  const objects = new Map<Kind, ReadonlyMap<ObjectKey, AnyObject>>();
  for (const kind of kinds) {
    const before = objectsOfKind(current, kind);
    const merged = mergeKind(before, next.get(kind) ?? new Map<ObjectKey, AnyObject>(), keepMissing);
    objects.set(kind, merged.changed.size === 0 ? before : merged.objects);
    if (merged.changed.size > 0) changed.set(kind, merged.changed);
  }
  if (changed.size === 0) return undefined;
  return { state: stateOf(current.revision + 1, objects), changed };
}

function mergeKind(
  before: ReadonlyMap<ObjectKey, AnyObject>,
  next: ReadonlyMap<ObjectKey, AnyObject>,
  keepMissing: boolean,
): { readonly objects: ReadonlyMap<ObjectKey, AnyObject>; readonly changed: ReadonlySet<ObjectKey> } {
  const objects = new Map<ObjectKey, AnyObject>();
  const changed = new Set<ObjectKey>();
  for (const [key, object] of next) {
    const old = before.get(key);
    const same = old !== undefined && deepEqual(old, object);
    objects.set(key, same ? old : object);
    if (!same) changed.add(key);
  }
  for (const [key, object] of before) {
    if (next.has(key)) continue;
    if (keepMissing) objects.set(key, object);
    else changed.add(key);
  }
  return { objects, changed };
}
