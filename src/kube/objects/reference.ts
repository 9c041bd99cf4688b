import { withoutUndefined } from '../../model/values.ts';
import type { KindFacts } from './kind-facts.ts';
import type { KubernetesObject } from './metadata.ts';

/** A reference to an object of the API, from which its path is made and by which an Event names it. */
export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  /** The plural that stands in the path: `ingresses`. */
  readonly resource: string;
  /** Absent for cluster-scoped objects. */
  readonly namespace?: string;
  readonly name: string;
  readonly uid?: string;
}

/** The reference to an object of this kind, in the version that is written. */
export function referenceTo<T extends KubernetesObject<string>>(
  { kind, apiVersions, plural }: KindFacts<T>,
  { metadata: { namespace, name, uid } }: T,
): ObjectReference {
  return { apiVersion: apiVersions[0], kind, resource: plural, name, ...withoutUndefined({ namespace, uid }) };
}
