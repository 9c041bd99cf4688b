import type { LiveBackend } from '../compile/backends.ts';
import type { BackendKey } from '../table.ts';

/** A rolling update or a pod that starts anew may leave a Service empty for a moment, of which nobody need be told. */
const lastsMs = 30_000;

/** Since when backends have no endpoint. It has no clock: the monotonic time comes with every call. */
export class EmptyBackends {
  #sinceMs: ReadonlyMap<BackendKey, number> = new Map();
  #backends: ReadonlyMap<BackendKey, LiveBackend> = new Map();
  #lasting: readonly LiveBackend[] = [];

  /** Takes the backends as they are now. */
  seen(backends: ReadonlyMap<BackendKey, LiveBackend>, nowMs: number): void {
    this.#backends = backends;
    const empty = [...backends].filter(([, { backend }]) => backend.endpoints.length === 0);
    this.#sinceMs = new Map(empty.map(([key]) => [key, this.#sinceMs.get(key) ?? nowMs]));
  }

  /** How many have no endpoint. */
  get count(): number {
    return this.#sinceMs.size;
  }

  /** Those that have had none for half a minute; the same list as before while it holds the same. */
  lasting(nowMs: number): readonly LiveBackend[] {
    const now = [...this.#sinceMs].flatMap(([key, sinceMs]) => {
      const live = nowMs - sinceMs >= lastsMs ? this.#backends.get(key) : undefined;
      return live === undefined ? [] : [live];
    });
    const isSame =
      now.length === this.#lasting.length &&
      now.every(({ service, port }, at) => service === this.#lasting[at]?.service && port === this.#lasting[at]?.port);
    if (!isSame) this.#lasting = now;
    return this.#lasting;
  }
}
