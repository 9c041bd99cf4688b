import { type EndpointSlice, serviceLabel } from '../../../kube/kinds/endpoint-slice.ts';
import type { ObjectKey } from '../../../kube/objects/metadata.ts';
import type { ClusterState } from '../../../kube/source.ts';
import { compareKeys } from '../../../model/values.ts';

/** The slices of one Service in the order of their keys. The list is replaced when one of them changes. */
export type ServiceSlices = readonly (readonly [ObjectKey, EndpointSlice])[];

const none: ServiceSlices = [];

/**
 * EndpointSlices by the Service (`namespace/name`) that their label names; it is updated slice by slice, so that a
 * change costs no more than the slices of its Service.
 */
export class SliceIndex {
  readonly #byService = new Map<ObjectKey, ServiceSlices>();
  readonly #serviceOf = new Map<ObjectKey, ObjectKey>();

  static of(state: ClusterState): SliceIndex {
    const index = new SliceIndex();
    index.update(state, state.objects.EndpointSlice.keys());
    return index;
  }

  /**
   * Takes the slices with these keys from `state` (those that are gone are dropped); returns the Services whose slices
   * changed.
   */
  update(state: ClusterState, changed: Iterable<ObjectKey>): ReadonlySet<ObjectKey> {
    const services = new Set<ObjectKey>();
    for (const key of changed) {
      const before = this.#serviceOf.get(key);
      if (before !== undefined) {
        this.#remove(before, key);
        services.add(before);
      }
      const slice = state.objects.EndpointSlice.get(key);
      const after = slice === undefined ? undefined : serviceOf(slice);
      if (slice === undefined || after === undefined) continue;
      this.#add(after, key, slice);
      services.add(after);
    }
    return services;
  }

  get(service: ObjectKey): ServiceSlices {
    return this.#byService.get(service) ?? none;
  }

  #add(service: ObjectKey, key: ObjectKey, slice: EndpointSlice): void {
    const slices = [...this.get(service), [key, slice] as const].sort(compareKeys);
    this.#byService.set(service, slices);
    this.#serviceOf.set(key, service);
  }

  #remove(service: ObjectKey, key: ObjectKey): void {
    const rest = this.get(service).filter(([name]) => name !== key);
    if (rest.length === 0) this.#byService.delete(service);
    else this.#byService.set(service, rest);
    this.#serviceOf.delete(key);
  }
}

function serviceOf(slice: EndpointSlice): ObjectKey | undefined {
  const name = slice.metadata.labels?.[serviceLabel];
  return typeof name === 'string' ? `${slice.metadata.namespace ?? 'default'}/${name}` : undefined;
}
