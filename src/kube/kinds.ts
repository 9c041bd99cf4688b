import { blockAffinity } from './kinds/block-affinity.ts';
import { cluster } from './kinds/cluster.ts';
import { drain } from './kinds/drain.ts';
import { edgePool } from './kinds/edge-pool.ts';
import { endpointSlice } from './kinds/endpoint-slice.ts';
import { freeze } from './kinds/freeze.ts';
import { ingress } from './kinds/ingress.ts';
import { ingressClass } from './kinds/ingress-class.ts';
import { ipPool } from './kinds/ip-pool.ts';
import { ipamBlock } from './kinds/ipam-block.ts';
import { node } from './kinds/node.ts';
import { pod } from './kinds/pod.ts';
import { secret } from './kinds/secret.ts';
import { service } from './kinds/service.ts';
import { site } from './kinds/site.ts';
import { trafficOverlay } from './kinds/traffic-overlay.ts';
import { trafficPolicy } from './kinds/traffic-policy.ts';
import { trafficVerdict } from './kinds/traffic-verdict.ts';
import type { KindFacts } from './objects/kind-facts.ts';

/**
 * Every kind that a ClusterState holds, in the order of a snapshot on disk. Whatever handles every kind is derived from
 * this table.
 */
const table = {
  Node: node,
  Pod: pod,
  Service: service,
  EndpointSlice: endpointSlice,
  Ingress: ingress,
  IngressClass: ingressClass,
  Secret: secret,
  BlockAffinity: blockAffinity,
  IPAMBlock: ipamBlock,
  IPPool: ipPool,
  Site: site,
  Cluster: cluster,
  EdgePool: edgePool,
  TrafficPolicy: trafficPolicy,
  Drain: drain,
  Freeze: freeze,
  TrafficOverlay: trafficOverlay,
  TrafficVerdict: trafficVerdict,
};

export type Kind = keyof typeof table;
type ObjectOf<Facts> = Facts extends KindFacts<infer T> ? T : never;
export type ObjectByKind = { readonly [K in Kind]: ObjectOf<(typeof table)[K]> };
export type AnyObject = ObjectByKind[Kind];

/** The facts of every kind, by the kind's name. */
export const kindFacts: { readonly [K in Kind]: KindFacts<ObjectByKind[K]> & { readonly kind: K } } = table;

// Object.keys gives string[]; the table's keys are exactly the kinds.
export const kinds = Object.keys(table) as readonly Kind[];

/** The kind with this apiVersion and name, or undefined when we do not read it. */
export function knownKind(apiVersion: string, kind: string): Kind | undefined {
  const found = kinds.find((known) => known === kind);
  return found !== undefined && kindFacts[found].apiVersions.includes(apiVersion) ? found : undefined;
}
