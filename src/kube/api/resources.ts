import type { Kind } from '../../model/kubernetes.ts';
import { withoutUndefined } from '../../model/values.ts';
import { kindFacts } from '../objects/kinds.ts';

/** The kinds as the API's paths name them. */
const plurals: { readonly [K in Kind]: string } = {
  Node: 'nodes',
  Pod: 'pods',
  Service: 'services',
  EndpointSlice: 'endpointslices',
  Ingress: 'ingresses',
  IngressClass: 'ingressclasses',
  Secret: 'secrets',
  BlockAffinity: 'blockaffinities',
  IPAMBlock: 'ipamblocks',
  IPPool: 'ippools',
};

/** Which objects of a kind are read; the server filters. */
export interface Selector {
  /** E.g. `type=kubernetes.io/tls`. */
  readonly fields?: string;
  /** E.g. `app in (web,api)`. */
  readonly labels?: string;
}

/** `/apis/discovery.k8s.io/v1`. */
export function groupPath(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

export function collectionPath(kind: Kind, apiVersion: string): string {
  return `${groupPath(apiVersion)}/${plurals[kind]}`;
}

/** Kinds of one built-in API version are always there; for others the server is asked which it has. */
export function needsDiscovery(kind: Kind): boolean {
  return kindFacts[kind].apiVersions.length > 1;
}

/** Whether an APIResourceList names the collection of this kind. */
export function hasCollection(list: unknown, kind: Kind): boolean {
  const { resources } = (list ?? {}) as { readonly resources?: unknown };
  return Array.isArray(resources) && resources.some((resource: { name?: unknown }) => resource?.name === plurals[kind]);
}

export function selection(selector: Selector | undefined): Readonly<Record<string, string>> {
  return withoutUndefined({ fieldSelector: selector?.fields, labelSelector: selector?.labels });
}
