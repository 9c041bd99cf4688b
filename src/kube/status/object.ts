import { groupPath } from '../api/resources.ts';
import type { ObjectReference } from '../objects/reference.ts';

/** `Kind/namespace/name`, or `Kind/name`. */
export function nameOf({ kind, namespace, name }: ObjectReference): string {
  return namespace === undefined ? `${kind}/${name}` : `${kind}/${namespace}/${name}`;
}

export function pathOf({ apiVersion, resource, namespace, name }: ObjectReference): string {
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${groupPath(apiVersion)}${scope}/${resource}/${encodeURIComponent(name)}`;
}
