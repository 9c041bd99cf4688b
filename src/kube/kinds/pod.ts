import type { Body, KindFacts } from '../objects/kind-facts.ts';
import type { KubernetesObject } from '../objects/metadata.ts';
import { flag, type Item, listOf, type Present, shape, text } from '../objects/pick.ts';

export interface Pod extends KubernetesObject<'Pod'> {
  readonly spec?: { readonly nodeName?: string; readonly hostNetwork?: boolean };
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
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
  owners: true,
  body: shape<Body<Pod>>({
    spec: shape<Present<Pod['spec']>>({ nodeName: text, hostNetwork: flag }),
    status: shape<Status>({
      conditions: listOf(shape<Item<Status['conditions']>>({ type: text, status: text }, ['type', 'status'])),
      phase: text,
      podIP: text,
      podIPs: listOf(shape<Item<Status['podIPs']>>({ ip: text }, ['ip'])),
    }),
  }),
};
