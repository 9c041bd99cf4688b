import type { Body, KindFacts } from '../objects/kind-facts.ts';
import type { KubernetesObject } from '../objects/metadata.ts';
import { either, listOf, type Present, shape, text, whole } from '../objects/pick.ts';

export interface ServicePort {
  readonly name?: string;
  readonly port: number;
  readonly protocol?: string;
  readonly appProtocol?: string;
  readonly targetPort?: number | string;
}

export interface Service extends KubernetesObject<'Service'> {
  readonly spec?: {
    readonly type?: string;
    readonly clusterIP?: string;
    readonly externalName?: string;
    readonly ports?: readonly ServicePort[];
  };
}

export const service: KindFacts<Service> = {
  kind: 'Service',
  apiVersions: ['v1'],
  plural: 'services',
  namespaced: true,
  body: shape<Body<Service>>({
    spec: shape<Present<Service['spec']>>({
      type: text,
      clusterIP: text,
      externalName: text,
      ports: listOf(
        shape<ServicePort>(
          { name: text, port: whole, protocol: text, appProtocol: text, targetPort: either(whole, text) },
          ['port'],
        ),
      ),
    }),
  }),
};
