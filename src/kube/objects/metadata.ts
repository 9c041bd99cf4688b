/** The metadata of an object of the Kubernetes API: only the fields that are read. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Only of kinds whose `KindFacts` say so. */
  readonly ownerReferences?: readonly { readonly kind: string; readonly controller?: boolean }[];
}

/** The fields that every object has, whatever its kind. */
export interface KubernetesObject<Kind extends string> {
  readonly kind: Kind;
  readonly metadata: ObjectMeta;
  /**
   * What its namespace has no room for: the object, of which there is only what marks it, or its newest version, in place of which
   * this is the one before.
   */
  readonly notKept?: 'object' | 'newest';
}

/** `namespace/name`, or `name` for cluster-scoped objects. */
export type ObjectKey = string;

export function keyOf(metadata: ObjectMeta): ObjectKey {
  return metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
}
