import { fillBackend, type LiveBackend } from '../compile/backends.ts';
import type { EndpointRules } from '../compile/endpoint-rules.ts';
import type { SliceIndex } from '../compile/slices.ts';
import type { BackendKey } from '../table.ts';

/** The backends of the table that was compiled last, with the endpoints that they have now. */
export class LiveBackends {
  #backends = new Map<BackendKey, LiveBackend>();
  #keysOfService = new Map<string, BackendKey[]>();

  /** Takes the backends of a new compile in place of all earlier ones. */
  replace(backends: ReadonlyMap<BackendKey, LiveBackend>): void {
    this.#backends = new Map(backends);
    this.#keysOfService = new Map();
    for (const [key, { service }] of backends) {
      const keys = this.#keysOfService.get(service) ?? [];
      keys.push(key);
      this.#keysOfService.set(service, keys);
    }
  }

  /** Resolves the endpoints of these Services' backends anew, and returns the backends. */
  refill(services: ReadonlySet<string>, slices: SliceIndex, rules: EndpointRules): readonly LiveBackend[] {
    const filled: LiveBackend[] = [];
    for (const service of services)
      for (const key of this.#keysOfService.get(service) ?? []) {
        const live = fillBackend(key, this.#backends.get(key)?.port, slices, rules);
        this.#backends.set(key, live);
        filled.push(live);
      }
    return filled;
  }

  /** The number of ready endpoints of a backend. */
  ready(key: BackendKey): number {
    return this.#backends.get(key)?.ready ?? 0;
  }

  get all(): ReadonlyMap<BackendKey, LiveBackend> {
    return this.#backends;
  }
}
