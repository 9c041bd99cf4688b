import type { Kind } from '../../model/kubernetes.ts';

interface KindFacts {
  /** The API versions we read it from; the first is the one we write. */
  readonly apiVersions: readonly [string, ...string[]];
  readonly namespaced: boolean;
}

const calico = ['crd.projectcalico.org/v1', 'projectcalico.org/v3'] as const;

/** Which API versions hold the kinds we read. The same kind name in another group is another thing, and is ignored. */
export const kindFacts: { readonly [K in Kind]: KindFacts } = {
  Node: { apiVersions: ['v1'], namespaced: false },
  Pod: { apiVersions: ['v1'], namespaced: true },
  Service: { apiVersions: ['v1'], namespaced: true },
  EndpointSlice: { apiVersions: ['discovery.k8s.io/v1'], namespaced: true },
  Ingress: { apiVersions: ['networking.k8s.io/v1'], namespaced: true },
  IngressClass: { apiVersions: ['networking.k8s.io/v1'], namespaced: false },
  Secret: { apiVersions: ['v1'], namespaced: true },
  BlockAffinity: { apiVersions: calico, namespaced: false },
  IPAMBlock: { apiVersions: calico, namespaced: false },
  IPPool: { apiVersions: calico, namespaced: false },
};

// Object.keys gives string[]; the record's keys are exactly the kinds.
export const kinds = Object.keys(kindFacts) as readonly Kind[];

/** The kind we read under this apiVersion and kind, or undefined. */
export function knownKind(apiVersion: string, kind: string): Kind | undefined {
  const found = kinds.find((known) => known === kind);
  return found !== undefined && kindFacts[found].apiVersions.includes(apiVersion) ? found : undefined;
}
