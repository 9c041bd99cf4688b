import type { ObjectReference } from '../../model/kubernetes.ts';

/** `Kind/namespace/name`, or `Kind/name`. */
export function nameOf({ kind, namespace, name }: ObjectReference): string {
  return namespace === undefined ? `${kind}/${name}` : `${kind}/${namespace}/${name}`;
}

export function pathOf({ apiVersion, resource, namespace, name }: ObjectReference): string {
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${group}${scope}/${resource}/${encodeURIComponent(name)}`;
}
