import type { Body, KindFacts } from '../objects/kind-facts.ts';
import type { KubernetesObject } from '../objects/metadata.ts';
import { flag, type Item, listOf, type Present, shape, text } from '../objects/pick.ts';

export interface Node extends KubernetesObject<'Node'> {
  readonly spec?: { readonly podCIDRs?: readonly string[]; readonly unschedulable?: boolean };
  readonly status?: { readonly addresses?: readonly { readonly type: string; readonly address: string }[] };
}

type Status = Present<Node['status']>;

export const node: KindFacts<Node> = {
  kind: 'Node',
  apiVersions: ['v1'],
  plural: 'nodes',
  namespaced: false,
  body: shape<Body<Node>>({
    spec: shape<Present<Node['spec']>>({ podCIDRs: listOf(text), unschedulable: flag }),
    status: shape<Status>({
      addresses: listOf(shape<Item<Status['addresses']>>({ type: text, address: text }, ['type', 'address'])),
    }),
  }),
};
