import type { Body, KindFacts } from '../objects/kind-facts.ts';
import type { KubernetesObject } from '../objects/metadata.ts';
import { type Item, listOf, type Present, shape, text } from '../objects/pick.ts';

export interface Pod extends KubernetesObject<'Pod'> {
  readonly spec?: { readonly nodeName?: string };
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly podIPs?: readonly { readonly ip: string }[];
  };
}

type Status = Present<Pod['status']>;

export const pod: KindFacts<Pod> = {
  kind: 'Pod',
  apiVersions: ['v1'],
  plural: 'pods',
  namespaced: true,
  body: shape<Body<Pod>>({
    spec: shape<Present<Pod['spec']>>({ nodeName: text }),
    status: shape<Status>({
      phase: text,
      podIP: text,
      podIPs: listOf(shape<Item<Status['podIPs']>>({ ip: text }, ['ip'])),
    }),
  }),
};
