import { calicoVersions } from '../calico.ts';
import type { Body, KindFacts } from '../objects/kind-facts.ts';
import type { KubernetesObject } from '../objects/metadata.ts';
import { flag, listOf, type Present, shape, text, whole } from '../objects/pick.ts';

export interface IPPool extends KubernetesObject<'IPPool'> {
  readonly spec?: {
    readonly cidr?: string;
    readonly blockSize?: number;
    readonly disabled?: boolean;
    readonly disableBGPExport?: boolean;
    readonly allowedUses?: readonly string[];
  };
}

export const ipPool: KindFacts<IPPool> = {
  kind: 'IPPool',
  apiVersions: calicoVersions,
  plural: 'ippools',
  namespaced: false,
  body: shape<Body<IPPool>>({
    spec: shape<Present<IPPool['spec']>>({
      cidr: text,
      blockSize: whole,
      disabled: flag,
      disableBGPExport: flag,
      allowedUses: listOf(text),
    }),
  }),
};
