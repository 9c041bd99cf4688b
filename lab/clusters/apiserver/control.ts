import type { Clock, Timer } from '../../../src/runtime/clock.ts';
import type { Component, ControlPlane } from '../../control-plane/control-plane.ts';
import type { ClusterControl, ComponentState } from '../running.ts';

/** In the order they start. */
export const components: readonly Component[] = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];

const lookMs = 500;

/**
 * Kills, freezes and mends the components of a control plane, and knows what it did. Plays systemd for them: what ends by itself
 * is started again.
 */
export class PlaneControl implements ClusterControl {
  readonly server: string;
  readonly #plane: () => ControlPlane | undefined;
  readonly #clock: Clock;
  readonly #states = new Map<string, ComponentState>();
  readonly #starting = new Set<Component>();
  #timer: Timer | undefined;

  /** The control plane may come later: until then everything is stopped. */
  constructor(server: string, plane: () => ControlPlane | undefined, clock: Clock) {
    this.server = server;
    this.#plane = plane;
    this.#clock = clock;
  }

  /** From now on what ends by itself is started again, until `stop`. */
  supervise(): void {
    this.#timer = this.#clock.setTimeout(() => {
      for (const name of components) this.#revive(name);
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
    await Promise.all(this.#known(names).map((name) => this.#kill(name)));
  }

  freeze(names: readonly string[]): Promise<void> {
    for (const name of this.#known(names)) {
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
    // It only waits: the process is dying.
    await plane.end(name);
  }

  #revive(name: Component): void {
    if (this.#states.has(name) || this.#starting.has(name) || this.#plane()?.pid(name) !== undefined) return;
    // One that ends again before it is ready is found by a later look.
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

  #known(names: readonly string[]): readonly Component[] {
    return components.filter((name) => names.includes(name));
  }
}
