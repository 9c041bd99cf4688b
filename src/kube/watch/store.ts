import type { AnyObject, Kind } from '../kinds.ts';
import { deepEqual } from '../objects/equal.ts';
import type { ObjectKey } from '../objects/metadata.ts';
import type { ClusterChange, ClusterState, Origin } from '../source.ts';
import { countState, edit, emptyState, objectsOfKind, withEdits } from '../state.ts';

/**
 * The last published state and the changes since, kind by kind. The cost of a change is that of the objects it touches;
 * publishing costs one copy of the map of every kind that changed.
 */
export class Store {
  #state: ClusterState = emptyState;
  #edits = new Map<Kind, Map<ObjectKey, AnyObject | undefined>>();

  get state(): ClusterState {
    return this.#state;
  }

  get(kind: Kind, key: ObjectKey): AnyObject | undefined {
    const edits = this.#edits.get(kind);
    return edits?.has(key) === true ? edits.get(key) : objectsOfKind(this.#state, kind).get(key);
  }

  /** Stores an object; one that equals the object that is there changes nothing. */
  put(kind: Kind, key: ObjectKey, object: AnyObject): void {
    const old = this.get(kind, key);
    if (old === object || (old !== undefined && deepEqual(old, object))) return;
    this.#editsOf(kind).set(key, object);
  }

  remove(kind: Kind, key: ObjectKey): void {
    if (this.get(kind, key) !== undefined) this.#editsOf(kind).set(key, undefined);
  }

  /** All objects of a kind now, changes included. */
  all(kind: Kind): ReadonlyMap<ObjectKey, AnyObject> {
    const edits = this.#edits.get(kind);
    const published = objectsOfKind(this.#state, kind);
    if (edits === undefined || edits.size === 0) return published;
    return withEdits(published, edits);
  }

  /** The number of objects of all kinds together now. */
  count(): number {
    let count = countState(this.#state);
    for (const kind of this.#edits.keys()) count += this.#growth(kind);
    return count;
  }

  /** Whether nothing was published yet, and there is nothing to publish. */
  isUnused(): boolean {
    return this.#state.revision === 0 && this.count() === 0;
  }

  /** The number of objects of a kind now; it costs no more than the changes since the last publishing. */
  size(kind: Kind): number {
    return objectsOfKind(this.#state, kind).size + this.#growth(kind);
  }

  /** How many objects of a kind the changes add. */
  #growth(kind: Kind): number {
    const published = objectsOfKind(this.#state, kind);
    let growth = 0;
    for (const [key, object] of this.#edits.get(kind) ?? [])
      growth += (object === undefined ? 0 : 1) - (published.has(key) ? 1 : 0);
    return growth;
  }

  get pending(): boolean {
    for (const edits of this.#edits.values()) if (edits.size > 0) return true;
    return false;
  }

  /**
   * Makes the changes the next snapshot, of this origin; undefined when nothing changed since the first, which may be empty. That a doubt began or ended is a change
   * of no object: whoever keeps the state has to know it.
   */
  publish(origin: Origin): ClusterChange | undefined {
    const edits = this.#edits;
    this.#edits = new Map();
    const result = edit(this.#state, edits);
    if (result === undefined) return this.#remark(origin);
    this.#state = { ...result.state, origin };
    return { ...result, state: this.#state };
  }

  #remark(origin: Origin): ClusterChange | undefined {
    const { revision } = this.#state;
    if (revision === 0) {
      this.#state = { ...this.#state, revision: 1, origin };
      return { state: this.#state, changed: new Map() };
    }
    if (origin.doubtSinceMs === this.#state.origin?.doubtSinceMs) return undefined;
    this.#state = { ...this.#state, revision: revision + 1, origin };
    return { state: this.#state, changed: new Map() };
  }

  #editsOf(kind: Kind): Map<ObjectKey, AnyObject | undefined> {
    const edits = this.#edits.get(kind) ?? new Map<ObjectKey, AnyObject | undefined>();
    this.#edits.set(kind, edits);
    return edits;
  }
}
