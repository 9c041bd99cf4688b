import { join } from 'node:path';
import { runFiles } from '../../src/model/contract.ts';
import { controlStatus } from '../daemons/nginx.ts';
import type { DemoPort } from './port.ts';

/**
 * Sums the configuration reloads of every blade's nginx, as each counts them itself. A killed nginx stays in the sum with what it
 * had counted at the last call of `total`, so that must be called after every step.
 */
export class ReloadCount {
  readonly #lab: Pick<DemoPort, 'world' | 'runFolder'>;
  readonly #ofInstance = new Map<string, number>();

  constructor(lab: Pick<DemoPort, 'world' | 'runFolder'>) {
    this.#lab = lab;
  }

  /** Asks every nginx again; resolves with the reloads of all nginx processes that there ever were. */
  async total(): Promise<number> {
    const blades = this.#lab.world.datacentres.flatMap((datacentre) => datacentre.blades);
    const sockets = blades.map(({ name }) => join(this.#lab.runFolder, name, runFiles.nginxSocket));
    for (const status of await Promise.all(sockets.map(controlStatus)))
      if (status !== undefined) this.#ofInstance.set(status.instance, status.reloads);
    return [...this.#ofInstance.values()].reduce((sum, reloads) => sum + reloads, 0);
  }
}
