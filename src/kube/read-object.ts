import { withoutUndefined } from '../model/values.ts';
import { type AnyObject, type Kind, kindFacts } from './kinds.ts';
import { keyOf, type ObjectKey, type ObjectMeta } from './objects/metadata.ts';
import { flag, type Item, listOf, recordOf, shape, text, WrongShape, whole } from './objects/pick.ts';
import type { KubeReason } from './reasons.ts';

/**
 * An object as a ClusterState holds it, or the reason for its refusal. `key` is there when the object can be identified all
 * the same.
 */
export type ReadObject =
  | { readonly ok: true; readonly kind: Kind; readonly key: ObjectKey; readonly object: AnyObject }
  | {
      readonly ok: false;
      readonly kind: Kind;
      readonly key?: ObjectKey;
      readonly reason: KubeReason;
      readonly path: string;
      readonly message: string;
    };

const readMeta = shape<ObjectMeta>(
  {
    name: text,
    namespace: text,
    uid: text,
    resourceVersion: text,
    generation: whole,
    creationTimestamp: text,
    deletionTimestamp: text,
    labels: recordOf(text),
    annotations: recordOf(text),
    ownerReferences: listOf(shape<Item<ObjectMeta['ownerReferences']>>({ kind: text, controller: flag }, ['kind'])),
  },
  ['name'],
);

/** The annotation that `kubectl apply` writes for itself. It is dropped because it is bulky and unused. */
const droppedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';
const usableName = /^[^/\s\p{Cc}]{1,253}$/u;

/** Keeps of a raw object of a known kind the fields that its file in `kinds/` names. Never throws. */
export function readObject(kind: Kind, raw: Readonly<Record<string, unknown>>): ReadObject {
  const key = identify(kind, raw['metadata']);
  if (key === undefined)
    return { ok: false, kind, reason: 'MissingName', path: 'metadata.name', message: 'has no usable name' };
  try {
    const metadata = withNamespace(kind, readMeta(raw['metadata']));
    // The facts of a kind give the body that belongs to this kind; the compiler cannot follow the pairing.
    const object = { kind, metadata, ...kindFacts[kind].body(raw), ...notKeptOf(raw) } as AnyObject;
    return { ok: true, kind, key: keyOf(metadata), object };
  } catch (error) {
    if (!(error instanceof WrongShape)) throw error;
    return { ok: false, kind, key, reason: 'WrongType', path: error.path, message: error.message };
  }
}

/** What a snapshot says of an object that had no room; no API server sends such a field. */
function notKeptOf({ notKept }: Readonly<Record<string, unknown>>): Pick<AnyObject, 'notKept'> {
  return notKept === 'object' || notKept === 'newest' ? { notKept } : {};
}

function identify(kind: Kind, metadata: unknown): ObjectKey | undefined {
  if (typeof metadata !== 'object' || metadata === null) return undefined;
  const { name, namespace } = metadata as { readonly name?: unknown; readonly namespace?: unknown };
  if (typeof name !== 'string' || !usableName.test(name)) return undefined;
  if (namespace !== undefined && namespace !== null && typeof namespace !== 'string') return undefined;
  if (typeof namespace === 'string' && namespace.includes('/')) return undefined;
  return keyOf(withNamespace(kind, typeof namespace === 'string' ? { name, namespace } : { name }));
}

/** Sets the namespace as kubectl does: `default` for a namespaced object without one, and none for a cluster-scoped object. */
function withNamespace(kind: Kind, metadata: ObjectMeta): ObjectMeta {
  const { namespace, annotations, ownerReferences, ...rest } = metadata;
  const kept = annotations === undefined ? undefined : withoutDropped(annotations);
  return {
    ...rest,
    ...withoutUndefined({
      annotations: kept,
      ownerReferences: kindFacts[kind].owners === true ? ownerReferences : undefined,
    }),
    ...(kindFacts[kind].namespaced
      ? { namespace: namespace === undefined || namespace === '' ? 'default' : namespace }
      : {}),
  };
}

function withoutDropped(annotations: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  if (!(droppedAnnotation in annotations)) return annotations;
  const { [droppedAnnotation]: _, ...rest } = annotations;
  return rest;
}
