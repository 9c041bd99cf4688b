import { compareText } from '../../../model/values.ts';
import { type FleetContext, hasFelix } from './context.ts';
import { calicoObjects } from './objects/calico.ts';
import { gpuObjects } from './objects/gpu.ts';
import type { Manifest } from './objects/manifest.ts';
import { rightsOf } from './objects/rights.ts';
import { sorted } from './text.ts';

/** Objects that are files of this package (`deploy`). They are read by the caller, because compile reads nothing. */
export interface ShippedObjects {
  /** What every cluster with agents of Tideline has. */
  readonly tideline: readonly Manifest[];
  /** The CRDs of Calico's IPAM. */
  readonly calico: readonly Manifest[];
  /** The CRDs of Calico that Felix reads besides. */
  readonly felix: readonly Manifest[];
}

export const nothingShipped: ShippedObjects = { tideline: [], calico: [], felix: [] };

/** Every object of ours has it: an object that lost its place in the list is found by it, and removed. */
export const managedBy = { 'app.kubernetes.io/managed-by': 'tideline-fleet' } as const;

/**
 * What the API of a cluster must hold so that the documents of its servers work, in the order in which it is written: namespaces and kinds
 * first. Nothing that a cluster might want besides: no network policy, no quota, no DNS.
 */
export function objectsOf(fleet: FleetContext, shipped: ShippedObjects): readonly Manifest[] {
  return [
    ...shipped.tideline,
    ...('calico' in fleet.fleet.ipam ? [...shipped.calico, ...calicoObjects(fleet, fleet.fleet.ipam.calico)] : []),
    ...(hasFelix(fleet) ? shipped.felix : []),
    ...rightsOf(fleet),
    ...gpuObjects(fleet),
  ]
    .map((object) => ({
      ...object,
      metadata: { ...object.metadata, labels: { ...object.metadata.labels, ...managedBy } },
    }))
    .map((object) => sorted(object) as Manifest)
    .toSorted((a, b) => rank(a) - rank(b) || compareText(nameOf(a), nameOf(b)));
}

/** Kind, namespace and name, as a person reads it. */
export function nameOf({ kind, metadata: { namespace, name } }: Pick<Manifest, 'kind' | 'metadata'>): string {
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

/** The list as one object, which `kubectl apply -f` takes as well. */
export function listOf(objects: readonly Manifest[]): unknown {
  return { apiVersion: 'v1', kind: 'List', items: objects };
}

function rank({ kind }: Manifest): number {
  const first = ['Namespace', 'CustomResourceDefinition'].indexOf(kind);
  return first === -1 ? 2 : first;
}
