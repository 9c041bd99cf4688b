import type { Body, KindFacts } from '../objects/kind-facts.ts';
import type { KubernetesObject } from '../objects/metadata.ts';
import { flag, type Item, listOf, type Present, shape, text, whole } from '../objects/pick.ts';

export interface EndpointSlice extends KubernetesObject<'EndpointSlice'> {
  /** IPv4, IPv6 or FQDN. The label `kubernetes.io/service-name` names the Service. */
  readonly addressType?: string;
  readonly endpoints?: readonly {
    readonly addresses: readonly string[];
    readonly conditions?: { readonly ready?: boolean; readonly serving?: boolean; readonly terminating?: boolean };
    readonly nodeName?: string;
    readonly zone?: string;
    readonly targetRef?: { readonly kind?: string; readonly name?: string };
  }[];
  readonly ports?: readonly {
    readonly name?: string;
    readonly port?: number;
    readonly protocol?: string;
    readonly appProtocol?: string;
  }[];
}

type Endpoint = Item<EndpointSlice['endpoints']>;

export const endpointSlice: KindFacts<EndpointSlice> = {
  kind: 'EndpointSlice',
  apiVersions: ['discovery.k8s.io/v1'],
  plural: 'endpointslices',
  namespaced: true,
  body: shape<Body<EndpointSlice>>({
    addressType: text,
    endpoints: listOf(
      shape<Endpoint>(
        {
          addresses: listOf(text),
          conditions: shape<Present<Endpoint['conditions']>>({ ready: flag, serving: flag, terminating: flag }),
          nodeName: text,
          zone: text,
          targetRef: shape<Present<Endpoint['targetRef']>>({ kind: text, name: text }),
        },
        ['addresses'],
      ),
    ),
    ports: listOf(shape<Item<EndpointSlice['ports']>>({ name: text, port: whole, protocol: text, appProtocol: text })),
  }),
};
