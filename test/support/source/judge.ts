import type { ControlPlane } from '../../../lab/control-plane/control-plane.ts';
import type { AnyObject, Kind } from '../../../src/kube/kinds.ts';
import type { ObjectKey } from '../../../src/kube/objects/metadata.ts';
import { readObject } from '../../../src/kube/read-object.ts';
import type { ClusterChange, ClusterState, SourceStatus } from '../../../src/kube/source.ts';
import { objectsOfKind } from '../../../src/kube/state.ts';
import { Recorder } from './recorder.ts';
import { countAnnotation, type Writer } from './writer.ts';

export interface Told {
  readonly status: SourceStatus;
  readonly atMs: number;
  /**
   * The time of the last change of the kind whose last change is the oldest; the source has heard of each kind at least up
   * to then.
   */
  readonly leastHeardMs: number;
}

/** Listens to a source as a plane does, and records as faults all reports that no plane may ever get. */
export class Judge extends Recorder {
  readonly told: Told[] = [];
  /** The reports that must not have come; it must stay empty. */
  readonly faults: string[] = [];
  /** Whether an object may vanish although the writer did not delete it. */
  mayVanish: (key: ObjectKey) => boolean = () => false;
  readonly #kinds: readonly Kind[];
  readonly #writer: Pick<Writer, 'everDeleted'>;
  readonly #highest = new Map<string, number>();
  readonly #changedMs = new Map<Kind, number>();

  constructor(kinds: readonly Kind[], writer: Pick<Writer, 'everDeleted'>) {
    super();
    this.#kinds = kinds;
    this.#writer = writer;
  }

  override onChange(change: ClusterChange): void {
    const before = this.state;
    for (const [kind, keys] of change.changed) {
      this.#changedMs.set(kind, Date.now());
      for (const key of keys) this.#check(kind, key, before, change.state);
    }
    // Only the newest change is kept, because there are thousands.
    this.changes.length = 0;
    super.onChange(change);
  }

  override onStatus(status: SourceStatus): void {
    const leastHeardMs = Math.min(...this.#kinds.map((kind) => this.#changedMs.get(kind) ?? 0));
    this.told.push({ status, atMs: Date.now(), leastHeardMs });
    super.onStatus(status);
  }

  #check(kind: Kind, key: ObjectKey, before: ClusterState | undefined, after: ClusterState): void {
    const id = `${kind} ${key}`;
    const old = before === undefined ? undefined : objectsOfKind(before, kind).get(key);
    const now = objectsOfKind(after, kind).get(key);
    if (now === undefined) {
      if (!this.mayVanish(key) && !this.#writer.everDeleted(kind, key))
        this.faults.push(`${id} vanished, and nobody deleted it`);
      return;
    }
    const count = countOf(now);
    if (count === undefined) return;
    const highest = this.#highest.get(id) ?? 0;
    if (count < highest) this.faults.push(`${id} went back from ${highest} to ${count}`);
    if (old === undefined && before !== undefined && count <= highest)
      this.faults.push(`${id} is there again as it was deleted (${count})`);
    this.#highest.set(id, Math.max(highest, count));
  }
}

export function countOf(object: AnyObject): number | undefined {
  const text = object.metadata.annotations?.[countAnnotation];
  return text === undefined ? undefined : Number(text);
}

/**
 * Lists the objects of the apiserver by kubectl, which is another client and lists in another way. The objects are as a state
 * holds them, i.e. without their resourceVersion.
 */
export async function freshList(
  plane: ControlPlane,
  kind: Kind,
  options: { readonly label?: string; readonly args?: readonly string[] } = {},
): Promise<ReadonlyMap<ObjectKey, AnyObject>> {
  const selector = options.label === undefined ? [] : ['-l', `tideline-test=${options.label}`];
  const scope = ['Node', 'IngressClass', 'BlockAffinity', 'IPAMBlock', 'IPPool'].includes(kind) ? [] : ['-A'];
  const text = await plane.kubectl([
    'get',
    kind.toLowerCase(),
    ...scope,
    ...selector,
    '-o',
    'json',
    ...(options.args ?? []),
  ]);
  const { items } = JSON.parse(text) as { readonly items: readonly Readonly<Record<string, unknown>>[] };
  const objects = new Map<ObjectKey, AnyObject>();
  for (const item of items) {
    const read = readObject(kind, item);
    if (!read.ok) throw new Error(`${kind} ${read.key}: ${read.message}`);
    const { resourceVersion: _, ...metadata } = read.object.metadata;
    objects.set(read.key, { ...read.object, metadata } as AnyObject);
  }
  return objects;
}
