import type { KubernetesObject } from './metadata.ts';
import type { Picker } from './pick.ts';

/** The fields of an object that its kind alone has. */
export type Body<T extends KubernetesObject<string>> = Omit<T, 'kind' | 'metadata' | 'notKept'>;

/**
 * When an object that is held in doubt gives way to another of its kind: one that changed after the doubt began, so that the writer
 * of both has evidently decided anew.
 */
export interface Succession<T> {
  /** What an object is about: it gives way only to one about the same. Undefined when that is not known. */
  subject(object: T): string | undefined;
  /** Whether one object serves in place of another about the same subject. */
  replaces(fresh: T, held: T): boolean;
}

/** All that Tideline knows of a kind of object, `T` being the object as a ClusterState holds it. */
export interface KindFacts<T extends KubernetesObject<string>> {
  readonly kind: T['kind'];
  /**
   * The API versions from which it is read; the first is also the one that is written. The same name in another group is
   * another kind.
   */
  readonly apiVersions: readonly [string, ...string[]];
  /** The kind as the API's paths name it: `ingresses`. */
  readonly plural: string;
  /** Whether its objects are in namespaces. */
  readonly namespaced: boolean;
  /** A kind of the platform spec: read from an API only, and perhaps not installed there. */
  readonly own?: true;
  /** Whose objects it has is of interest: `metadata.ownerReferences` is kept. */
  readonly owners?: true;
  /** Keeps of a raw object the fields that `T` names, and drops all others; throws WrongShape. */
  readonly body: Picker<Body<T>>;
  /** What is kept of the body of an object that its namespace has no room for; without it such an object is left out. */
  readonly marker?: (object: T) => Partial<Body<T>>;
  /** Without it, no object of the kind gives way to another. */
  readonly succession?: Succession<T>;
}
