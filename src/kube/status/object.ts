/** One object of the API that we write to, as a path is made of it and an event refers to it. */
export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  /** As in the path: `ingresses`. */
  readonly resource: string;
  /** Absent for cluster-scoped objects. */
  readonly namespace?: string;
  readonly name: string;
  readonly uid?: string;
}

/** `Kind/namespace/name`, or `Kind/name`. */
export function nameOf({ kind, namespace, name }: ObjectReference): string {
  return namespace === undefined ? `${kind}/${name}` : `${kind}/${namespace}/${name}`;
}

export function pathOf({ apiVersion, resource, namespace, name }: ObjectReference): string {
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${group}${scope}/${resource}/${encodeURIComponent(name)}`;
}
