import { apiVersion } from '../../model/contract.ts';
import type { Body, KindFacts } from './kind-facts.ts';
import type { KubernetesObject } from './metadata.ts';
import { type Picker, recordOf, shape } from './pick.ts';

/**
 * An object of the platform spec as the API of a cluster has it. This room does not know what it means: spec and status are kept
 * whole, so that whoever judges the object also sees fields that he does not know.
 */
export interface OwnObject<Kind extends string> extends KubernetesObject<Kind> {
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
}

const anything: Picker<Readonly<Record<string, unknown>>> = recordOf((value: unknown) => value);

/** The facts of a kind of the platform spec. Its definition may not be installed. */
export function ownKind<Kind extends string>(kind: Kind, plural: string): KindFacts<OwnObject<Kind>> {
  return {
    kind,
    apiVersions: [apiVersion],
    plural,
    namespaced: false,
    own: true,
    body: shape<Body<OwnObject<Kind>>>({ spec: anything, status: anything }),
  };
}
