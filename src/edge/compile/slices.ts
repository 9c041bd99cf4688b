import type { ClusterState } from '../../kube/source.ts';
import type { EndpointSlice, ObjectKey } from '../../model/kubernetes.ts';

const serviceLabel = 'kubernetes.io/service-name';

/** EndpointSlices by the Service (`namespace/name`) that their label names; kept by changes, so that one change costs one. */
export class SliceIndex {
  readonly #byService = new Map<ObjectKey, Map<ObjectKey, EndpointSlice>>();
  readonly #serviceOf = new Map<ObjectKey, ObjectKey>();

  static of(state: ClusterState): SliceIndex {
    const index = new SliceIndex();
    index.update(state, state.objects.EndpointSlice.keys());
    return index;
  }

  /** Takes these slices from `state` (gone ones are dropped); returns the Services whose slices changed. */
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

  /** The slices of a Service in the order of their keys. */
  get(service: ObjectKey): readonly (readonly [ObjectKey, EndpointSlice])[] {
    const slices = this.#byService.get(service);
    if (slices === undefined) return [];
    return [...slices].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  #add(service: ObjectKey, key: ObjectKey, slice: EndpointSlice): void {
    const slices = this.#byService.get(service) ?? new Map<ObjectKey, EndpointSlice>();
    slices.set(key, slice);
    this.#byService.set(service, slices);
    this.#serviceOf.set(key, service);
  }

  #remove(service: ObjectKey, key: ObjectKey): void {
    const slices = this.#byService.get(service);
    slices?.delete(key);
    if (slices?.size === 0) this.#byService.delete(service);
    this.#serviceOf.delete(key);
  }
}

function serviceOf(slice: EndpointSlice): ObjectKey | undefined {
  const name = slice.metadata.labels?.[serviceLabel];
  return typeof name === 'string' ? `${slice.metadata.namespace ?? 'default'}/${name}` : undefined;
}
