import type { Body, KindFacts } from '../objects/kind-facts.ts';
import type { KubernetesObject } from '../objects/metadata.ts';
import { type Present, shape, text } from '../objects/pick.ts';

export interface IngressClass extends KubernetesObject<'IngressClass'> {
  readonly spec?: { readonly controller?: string };
}

export const ingressClass: KindFacts<IngressClass> = {
  kind: 'IngressClass',
  apiVersions: ['networking.k8s.io/v1'],
  plural: 'ingressclasses',
  namespaced: false,
  body: shape<Body<IngressClass>>({
    spec: shape<Present<IngressClass['spec']>>({ controller: text }),
  }),
};
