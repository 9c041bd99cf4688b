import type { AnyObject, Kind } from '../kinds.ts';
import { kindFacts } from '../kinds.ts';

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
