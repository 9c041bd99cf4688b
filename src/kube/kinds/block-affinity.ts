import { calicoVersions } from '../calico.ts';
import type { Body, KindFacts } from '../objects/kind-facts.ts';
import type { KubernetesObject } from '../objects/metadata.ts';
import { either, flag, type Present, shape, text } from '../objects/pick.ts';

/** `deleted` is the string "true" in `crd.projectcalico.org/v1`, and a boolean in `projectcalico.org/v3`. */
export interface BlockAffinity extends KubernetesObject<'BlockAffinity'> {
  readonly spec?: {
    readonly cidr?: string;
    readonly node?: string;
    readonly state?: string;
    readonly deleted?: string | boolean;
    readonly type?: string;
  };
}

export const blockAffinity: KindFacts<BlockAffinity> = {
  kind: 'BlockAffinity',
  apiVersions: calicoVersions,
  plural: 'blockaffinities',
  namespaced: false,
  body: shape<Body<BlockAffinity>>({
    spec: shape<Present<BlockAffinity['spec']>>({
      cidr: text,
      node: text,
      state: text,
      deleted: either(flag, text),
      type: text,
    }),
  }),
};
