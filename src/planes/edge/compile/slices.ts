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
    const [gone, come] = [new Map<ObjectKey, Set<ObjectKey>>(), new Map<ObjectKey, [ObjectKey, EndpointSlice][]>()];
    for (const key of changed) {
      const before = this.#serviceOf.get(key);
      if (before !== undefined) gone.set(before, (gone.get(before) ?? new Set()).add(key));
      this.#serviceOf.delete(key);
      const slice = state.objects.EndpointSlice.get(key);
      const after = slice === undefined ? undefined : serviceOf(slice);
      if (slice === undefined || after === undefined) continue;
      this.#serviceOf.set(key, after);
      const ofService = come.get(after) ?? [];
      come.set(after, ofService);
      ofService.push([key, slice]);
    }
    const services = new Set([...gone.keys(), ...come.keys()]);
    for (const service of services) this.#replace(service, gone.get(service), come.get(service) ?? []);
    return services;
  }

  get(service: ObjectKey): ServiceSlices {
    return this.#byService.get(service) ?? none;
  }

  /** All slices of a Service that changed are taken at once: it may have ten thousand of them. */
  #replace(service: ObjectKey, gone: ReadonlySet<ObjectKey> | undefined, come: ServiceSlices): void {
    const kept = gone === undefined ? this.get(service) : this.get(service).filter(([key]) => !gone.has(key));
    const slices = [...kept, ...come].sort(compareKeys);
    if (slices.length === 0) this.#byService.delete(service);
    else this.#byService.set(service, slices);
  }
}

function serviceOf(slice: EndpointSlice): ObjectKey | undefined {
  const name = slice.metadata.labels?.[serviceLabel];
  return typeof name === 'string' ? `${slice.metadata.namespace ?? 'default'}/${name}` : undefined;
}
