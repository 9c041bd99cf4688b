import type { Body, KindFacts, Succession } from '../objects/kind-facts.ts';
import type { KubernetesObject } from '../objects/metadata.ts';
import { flag, type Item, listOf, type Present, shape, text, whole } from '../objects/pick.ts';

export interface EndpointSlice extends KubernetesObject<'EndpointSlice'> {
  /** IPv4, IPv6 or FQDN. The label `kubernetes.io/service-name` names the Service. */
  readonly addressType?: string;
  readonly endpoints?: readonly {
    readonly addresses: readonly string[];
    readonly conditions?: { readonly ready?: boolean; readonly serving?: boolean; readonly terminating?: boolean };
  }[];
  readonly ports?: readonly {
    readonly name?: string;
    readonly port?: number;
    readonly protocol?: string;
  }[];
}

type Endpoint = Item<EndpointSlice['endpoints']>;

/** The label that names the Service of a slice. */
export const serviceLabel = 'kubernetes.io/service-name';

/**
 * A slice that changed and has a ready endpoint shows where the pods of its Service are now: a held slice beside it would mix in
 * addresses that nobody or somebody else has. One with fewer ports or of another address family says nothing of the rest, and
 * without a ready endpoint the held addresses may be the only ones that answer.
 */
const succession: Succession<EndpointSlice> = {
  subject({ metadata: { namespace, labels } }) {
    const service = labels?.[serviceLabel];
    return service === undefined || service === '' ? undefined : `${namespace}/${service}`;
  },
  replaces(fresh, held) {
    return fresh.addressType === held.addressType && hasReady(fresh) && coversPorts(fresh, held);
  },
};

/** Whether a slice has an endpoint that is ready; one that does not say counts as ready (the API's rule). */
function hasReady({ endpoints = [] }: EndpointSlice): boolean {
  return endpoints.some(({ addresses, conditions }) => addresses.length > 0 && (conditions?.ready ?? true));
}

/**
 * Ports are the same when name, number and protocol are: the pods of one Service may give one name different numbers, each in a
 * slice of its own.
 */
function coversPorts(fresh: EndpointSlice, held: EndpointSlice): boolean {
  const identity = ({ name = '', port, protocol = 'TCP' }: Item<EndpointSlice['ports']>): string =>
    JSON.stringify([name, port, protocol]);
  const covered = new Set(fresh.ports?.map(identity));
  return (held.ports ?? []).every((port) => covered.has(identity(port)));
}

type Conditions = Present<Endpoint['conditions']>;

const readConditions = shape<Conditions>({ ready: flag, serving: flag, terminating: flag });
const conditionsInUse = new Map<string, Conditions>();

/** The one object for these conditions: there are 27 at most, and a cluster has hundreds of thousands of endpoints. */
function sharedConditions(conditions: Conditions): Conditions {
  const { ready, serving, terminating } = conditions;
  const key = `${ready} ${serving} ${terminating}`;
  const known = conditionsInUse.get(key);
  if (known === undefined) conditionsInUse.set(key, conditions);
  return known ?? conditions;
}

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
          conditions: (value) => sharedConditions(readConditions(value)),
        },
        ['addresses'],
      ),
    ),
    ports: listOf(shape<Item<EndpointSlice['ports']>>({ name: text, port: whole, protocol: text })),
  }),
  succession,
};
