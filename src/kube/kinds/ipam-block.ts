import { calicoVersions } from '../calico.ts';
import type { Body, KindFacts } from '../objects/kind-facts.ts';
import type { KubernetesObject } from '../objects/metadata.ts';
import { flag, type Item, listOf, orNull, type Present, recordOf, shape, text, whole } from '../objects/pick.ts';

export interface IPAMBlock extends KubernetesObject<'IPAMBlock'> {
  readonly spec?: {
    readonly cidr?: string;
    /** `host:<node>` or `virtual:load-balancer`; absent for a released block that is still in use. */
    readonly affinity?: string;
    readonly deleted?: boolean;
    /** Index into `attributes` for every address of the block, or null when free. */
    readonly allocations?: readonly (number | null)[];
    readonly attributes?: readonly {
      readonly handle_id?: string;
      readonly secondary?: Readonly<Record<string, string>>;
      readonly releasedAt?: string;
    }[];
  };
}

type Spec = Present<IPAMBlock['spec']>;

export const ipamBlock: KindFacts<IPAMBlock> = {
  kind: 'IPAMBlock',
  apiVersions: calicoVersions,
  plural: 'ipamblocks',
  namespaced: false,
  body: shape<Body<IPAMBlock>>({
    spec: shape<Spec>({
      cidr: text,
      affinity: text,
      deleted: flag,
      allocations: listOf(orNull(whole)),
      attributes: listOf(
        shape<Item<Spec['attributes']>>({ handle_id: text, secondary: recordOf(text), releasedAt: text }),
      ),
    }),
  }),
};
