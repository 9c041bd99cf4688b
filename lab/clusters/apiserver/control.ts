import type { Clock, Timer } from '../../../src/runtime/clock.ts';
import type { Component, ControlPlane } from '../../control-plane/control-plane.ts';
import type { ClusterControl, ComponentState } from '../running.ts';

/** Every component, in the order in which they start. */
export const components: readonly Component[] = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];

const lookMs = 500;

/**
 * Kills, freezes and mends the components of a control plane, and remembers which it killed or froze. It also plays systemd for
 * them: a component that ends by itself is started again.
 */
export class PlaneControl implements ClusterControl {
  readonly server: string;
  readonly #plane: () => ControlPlane | undefined;
  readonly #clock: Clock;
  readonly #states = new Map<string, ComponentState>();
  readonly #starting = new Set<Component>();
  #timer: Timer | undefined;

  /** `plane` may give the control plane only later: until then every component counts as stopped. */
  constructor(server: string, plane: () => ControlPlane | undefined, clock: Clock) {
    this.server = server;
    this.#plane = plane;
    this.#clock = clock;
  }

  /** From now on a component that ends by itself is started again, until `stop`. */
  supervise(): void {
    this.#timer = this.#clock.setTimeout(() => {
      for (const name of components) this.#restartIfEnded(name);
      this.supervise();
    }, lookMs);
  }

  stop(): void {
    this.#timer?.cancel();
  }

  get components(): readonly { readonly name: string; readonly state: ComponentState }[] {
    const otherwise = this.#plane() === undefined ? 'stopped' : 'running';
    return components.map((name) => ({ name, state: this.#states.get(name) ?? otherwise }));
  }

  async kill(names: readonly string[]): Promise<void> {
    await Promise.all(this.#componentsNamed(names).map((name) => this.#kill(name)));
  }

  freeze(names: readonly string[]): Promise<void> {
    for (const name of this.#componentsNamed(names)) {
      if (this.#states.has(name)) continue;
      if (this.#plane()?.pid(name) === undefined) continue;
      this.#states.set(name, 'frozen');
      this.#plane()?.signal(name, 'SIGSTOP');
    }
    return Promise.resolve();
  }

  async mend(): Promise<void> {
    const plane = this.#plane();
    for (const name of components) {
      const state = this.#states.get(name);
      if (state === 'frozen') plane?.signal(name, 'SIGCONT');
      this.#states.delete(name);
      if (state === 'stopped') await this.#start(name);
    }
  }

  async #kill(name: Component): Promise<void> {
    const plane = this.#plane();
    if (plane === undefined || this.#states.get(name) === 'stopped') return;
    this.#states.set(name, 'stopped');
    if (plane.pid(name) === undefined) return;
    plane.signal(name, 'SIGKILL');
    // The process is already dying: `end` only waits for it.
    await plane.end(name);
  }

  #restartIfEnded(name: Component): void {
    if (this.#states.has(name) || this.#starting.has(name) || this.#plane()?.pid(name) !== undefined) return;
    // A component that ends again before it is ready is started again by a later round.
    void this.#start(name).catch(() => undefined);
  }

  async #start(name: Component): Promise<void> {
    this.#starting.add(name);
    try {
      await this.#plane()?.start(name);
    } finally {
      this.#starting.delete(name);
    }
  }

  #componentsNamed(names: readonly string[]): readonly Component[] {
    return components.filter((name) => names.includes(name));
  }
}
