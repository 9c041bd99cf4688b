import type { Component, ControlPlane } from '../../kubernetes/control-plane.ts';
import type { ClusterControl, ComponentState } from '../running.ts';

/** In the order they start. */
export const components: readonly Component[] = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];

/** Kills, freezes and mends the components of a control plane, and knows what it did. */
export class PlaneControl implements ClusterControl {
  readonly server: string;
  readonly #plane: () => ControlPlane | undefined;
  readonly #states = new Map<string, ComponentState>();

  /** The control plane may come later: until then everything is stopped. */
  constructor(server: string, plane: () => ControlPlane | undefined) {
    this.server = server;
    this.#plane = plane;
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
      if (state === 'stopped') await plane?.start(name);
      this.#states.delete(name);
    }
  }

  async #kill(name: Component): Promise<void> {
    const plane = this.#plane();
    if (plane === undefined || this.#states.get(name) === 'stopped') return;
    this.#states.set(name, 'stopped');
    plane.signal(name, 'SIGKILL');
    // It only waits: the process is dying.
    await plane.end(name);
  }

  #known(names: readonly string[]): readonly Component[] {
    return components.filter((name) => names.includes(name));
  }
}
