import { withoutUndefined } from '../../model/values.ts';
import type { Kind } from '../kinds.ts';
import { kindFacts } from '../kinds.ts';
import type { Selector } from '../needs.ts';

/** The path of an API version: `/apis/discovery.k8s.io/v1`, or `/api/v1` for the core group. */
export function groupPath(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

export function collectionPath(kind: Kind, apiVersion: string): string {
  return `${groupPath(apiVersion)}/${kindFacts[kind].plural}`;
}

/**
 * Whether the server must be asked which API version of the kind it has, if any. A kind of one built-in version is always there.
 */
export function needsDiscovery(kind: Kind): boolean {
  return kindFacts[kind].apiVersions.length > 1 || kindFacts[kind].own === true;
}

/** Whether an APIResourceList names the collection of this kind. */
export function hasCollection(list: unknown, kind: Kind): boolean {
  const { resources } = (list ?? {}) as { readonly resources?: unknown };
  const { plural } = kindFacts[kind];
  return Array.isArray(resources) && resources.some((resource: { name?: unknown }) => resource?.name === plural);
}

export function selection(selector: Selector | undefined): Readonly<Record<string, string>> {
  return withoutUndefined({ fieldSelector: selector?.fields, labelSelector: selector?.labels });
}
