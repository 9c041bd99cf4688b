import { fillBackend, type LiveBackend } from '../compile/backends.ts';
import { mayGrow, namespaceOf } from '../compile/budget.ts';
import type { EndpointRules } from '../compile/endpoint-rules.ts';
import type { Limits } from '../compile/shares.ts';
import type { SliceIndex } from '../compile/slices.ts';
import type { BackendKey } from '../table.ts';

/** What decides over endpoints beside the slices. */
interface Refill {
  readonly rules: EndpointRules;
  readonly limits: Limits;
}

interface Refilled {
  readonly filled: readonly LiveBackend[];
  readonly crowded: boolean;
}

/** The backends of the table that was compiled last, with the endpoints that they have now. */
export class LiveBackends {
  #backends = new Map<BackendKey, LiveBackend>();
  #keysOfService = new Map<string, BackendKey[]>();
  /** The number of endpoints of each namespace. */
  #countOf = new Map<string, number>();

  /** Takes the backends of a new compile in place of all earlier ones. */
  replace(backends: ReadonlyMap<BackendKey, LiveBackend>): void {
    this.#backends = new Map(backends);
    this.#keysOfService = new Map();
    this.#countOf = new Map();
    for (const [key, { service, backend }] of backends) {
      const namespace = namespaceOf(key);
      this.#countOf.set(namespace, (this.#countOf.get(namespace) ?? 0) + backend.endpoints.length);
      const keys = this.#keysOfService.get(service) ?? [];
      keys.push(key);
      this.#keysOfService.set(service, keys);
    }
  }

  /**
   * Resolves the endpoints of these Services' backends anew. Returns the backends, and whether some of them had no room: those
   * stay as they are, until a compile divides the room anew.
   */
  refill(services: ReadonlySet<string>, slices: SliceIndex, { rules, limits }: Refill): Refilled {
    const filled: LiveBackend[] = [];
    let crowded = false;
    for (const service of services)
      for (const key of this.#keysOfService.get(service) ?? []) {
        const before = this.#backends.get(key);
        const live = fillBackend(key, before?.port, slices, rules);
        if (before?.whole !== undefined || !this.#takes(live, before, limits)) crowded = true;
        else filled.push(live);
      }
    return { filled, crowded };
  }

  /** Takes a backend in place of the one before, if its namespace has room for it. */
  #takes(live: LiveBackend, before: LiveBackend | undefined, limits: Limits): boolean {
    const { key, endpoints } = live.backend;
    const grown = endpoints.length - (before?.backend.endpoints.length ?? 0);
    const count = (this.#countOf.get(namespaceOf(key)) ?? 0) + grown;
    if (grown > 0 && !mayGrow(limits, endpoints.length, count)) return false;
    this.#countOf.set(namespaceOf(key), count);
    this.#backends.set(key, live);
    return true;
  }

  /** The number of ready endpoints of a backend. */
  ready(key: BackendKey): number {
    return this.#backends.get(key)?.ready ?? 0;
  }

  get all(): ReadonlyMap<BackendKey, LiveBackend> {
    return this.#backends;
  }
}
