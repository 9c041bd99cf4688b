import type { AnyObject, Kind } from './kinds.ts';
import { kindFacts } from './kinds.ts';
import type { ObjectKey } from './objects/metadata.ts';
import type { ReadObject } from './read-object.ts';

/**
 * The bytes that the objects of one kind in one namespace may take in memory, by the estimate of `weigh`: of a namespace that fills
 * what an EdgePool gives one by default, the pairs of certificates take the most, 43 MiB. `markers` is for what stands for objects
 * that have no room.
 */
export const namespaceRoom = { objects: 48 << 20, markers: 4 << 20 } as const;

/** About the bytes that plain data takes in the heap. It is never much too low, whoever wrote the data. */
export function weigh(value: unknown): number {
  if (typeof value === 'string') return 24 + (isNarrow(value) ? value.length : value.length * 2);
  if (typeof value !== 'object' || value === null) return 8;
  let bytes = 24;
  if (Array.isArray(value)) for (const element of value as readonly unknown[]) bytes += 8 + weigh(element);
  else for (const key in value) bytes += 16 + weigh(value[key as keyof typeof value]);
  return bytes;
}

/** Short texts are not looked at: what they could cost beyond this is within the estimate of their object. */
function isNarrow(text: string): boolean {
  return text.length < 32 || !/[\u0100-\uffff]/.test(text);
}

interface Room {
  readonly objects: number;
  readonly markers: number;
}

/** What is kept of an object: itself, the version before, what marks it, or nothing. */
export interface Kept {
  readonly object: AnyObject | undefined;
  readonly refused: boolean;
}

/**
 * The room that each namespace has for its objects of one kind. What has no room is refused by name: of an object that is held the
 * version before stays, of another one only what marks it (`marker` of its kind). A namespace can only fill its own room.
 */
export class NamespaceRoom {
  readonly #kind: Kind;
  readonly #room: Room;
  #taken = new Map<string, Room>();
  /** The namespaces of which something was refused. */
  #refused = new Set<string>();
  #freed = false;

  constructor(kind: Kind, room: Room = namespaceRoom) {
    this.#kind = kind;
    this.#room = room;
  }

  /** The same room for a new list: what is held counts until the list is whole. */
  forList(): NamespaceRoom {
    const copy = new NamespaceRoom(this.#kind, this.#room);
    copy.#taken = new Map(this.#taken);
    return copy;
  }

  /** The room as it is when exactly these objects are held, of a list for which this room was. */
  afterList(objects: Iterable<AnyObject>): NamespaceRoom {
    const next = new NamespaceRoom(this.#kind, this.#room);
    next.#refused = this.#refused;
    for (const object of objects) next.#add(object, weigh(object));
    return next;
  }

  /** Takes room for an object in place of the one that is held under its key. */
  admit(object: AnyObject, held: AnyObject | undefined): Kept {
    if (held !== undefined) this.release(held);
    return this.place(object, held);
  }

  /** Takes room for an object; the version before takes none any more. */
  place(object: AnyObject, held: AnyObject | undefined): Kept {
    if (this.#take(object)) return { object, refused: false };
    this.#refused.add(namespaceOf(object));
    if (held !== undefined && held.notKept !== 'object') {
      const before = { ...held, notKept: 'newest' } as const;
      this.#add(before, weigh(before));
      return { object: before, refused: true };
    }
    const marker = markerOf(this.#kind, object);
    return { object: marker !== undefined && this.#take(marker) ? marker : undefined, refused: true };
  }

  /** Gives back the room of an object. */
  release(object: AnyObject): void {
    this.#add(object, -weigh(object));
    if (this.#refused.has(namespaceOf(object))) this.#freed = true;
  }

  /** Whether something was released, since this was last asked, of a namespace of which objects were refused. */
  wasFreed(): boolean {
    const freed = this.#freed;
    this.#freed = false;
    return freed;
  }

  #take(object: AnyObject): boolean {
    const part = partOf(object);
    const taken = this.#taken.get(namespaceOf(object))?.[part] ?? 0;
    const bytes = weigh(object);
    if (kindFacts[this.#kind].namespaced && taken + bytes > this.#room[part]) return false;
    this.#add(object, bytes);
    return true;
  }

  #add(object: AnyObject, bytes: number): void {
    const namespace = namespaceOf(object);
    const { objects, markers } = this.#taken.get(namespace) ?? { objects: 0, markers: 0 };
    // Less than nothing is left where an object was held that was never counted, such as one of the last-good state.
    const added = (to: number): number => Math.max(0, to + bytes);
    const marks = object.notKept === 'object';
    this.#taken.set(namespace, {
      objects: marks ? objects : added(objects),
      markers: marks ? added(markers) : markers,
    });
  }
}

/** The weights of objects that are looked at again whenever one of them changes. */
const weights = new WeakMap<AnyObject, number>();

function weightOf(object: AnyObject): number {
  const known = weights.get(object);
  if (known !== undefined) return known;
  const bytes = weigh(object);
  weights.set(object, bytes);
  return bytes;
}

/**
 * What is kept of all objects of a kind when they are known at once. What is in force has its room first, so that a new object takes
 * none of it; the rest follows in the order of `objects`. `refused` are the keys of those for which there is no room.
 */
export function keptOf(
  kind: Kind,
  objects: ReadonlyMap<ObjectKey, AnyObject>,
  inForce: ReadonlyMap<ObjectKey, AnyObject>,
  room: Room = namespaceRoom,
): { readonly kept: ReadonlyMap<ObjectKey, AnyObject>; readonly refused: readonly ObjectKey[] } {
  const full = kindFacts[kind].namespaced ? fullNamespaces(objects.values(), room) : new Set<string>();
  if (full.size === 0) return { kept: objects, refused: [] };
  const rooms = new NamespaceRoom(kind, room);
  const kept = new Map(objects);
  const refused: ObjectKey[] = [];
  const place = (key: ObjectKey, object: AnyObject): void => {
    if (!full.has(namespaceOf(object))) return;
    const found = rooms.place(object, inForce.get(key));
    if (found.refused) refused.push(key);
    if (found.object === undefined) kept.delete(key);
    else kept.set(key, found.object);
  };
  for (const [key, object] of objects) if (isHeld(inForce.get(key))) place(key, object);
  for (const [key, object] of objects) if (!isHeld(inForce.get(key))) place(key, object);
  return { kept, refused };
}

function isHeld(object: AnyObject | undefined): boolean {
  return object !== undefined && object.notKept !== 'object';
}

/** The namespaces whose objects take more than the room of one. */
function fullNamespaces(objects: Iterable<AnyObject>, room: Room): ReadonlySet<string> {
  const taken = new Map<string, number>();
  for (const object of objects)
    taken.set(namespaceOf(object), (taken.get(namespaceOf(object)) ?? 0) + weightOf(object));
  return new Set([...taken].filter(([, bytes]) => bytes > room.objects).map(([namespace]) => namespace));
}

/** The refusal of an object that has no room. */
export function namespaceFull(kind: Kind, key: ObjectKey): Extract<ReadObject, { ok: false }> {
  const namespace = key.slice(0, key.indexOf('/'));
  const message = `namespace ${namespace} has more objects of its kind than are kept of one namespace`;
  return { ok: false, kind, key, reason: 'NamespaceFull', path: 'metadata', message };
}

function partOf({ notKept }: AnyObject): keyof Room {
  return notKept === 'object' ? 'markers' : 'objects';
}

function namespaceOf({ metadata }: AnyObject): string {
  return metadata.namespace ?? '';
}

/** What stands for an object that is not kept: enough to find it, and to say so to its owner. */
function markerOf(kind: Kind, object: AnyObject): AnyObject | undefined {
  // The facts of a kind are for the objects of this kind; the compiler cannot follow the pairing.
  const marker = kindFacts[kind].marker as ((object: AnyObject) => object) | undefined;
  if (marker === undefined) return undefined;
  const { labels: _, ...metadata } = object.metadata;
  return { kind, metadata, ...marker(object), notKept: 'object' } as AnyObject;
}
