import { join } from 'node:path';
import { runFiles } from '../../src/model/contract.ts';
import { controlStatus } from '../daemons/nginx.ts';
import type { DemoPort } from './port.ts';

/**
 * Configuration reloads of every blade's nginx, as each counts itself. What a killed nginx had counted when it was last
 * looked at stays counted: look after every step.
 */
export class ReloadCount {
  readonly #lab: Pick<DemoPort, 'world' | 'runFolder'>;
  readonly #ofInstance = new Map<string, number>();

  constructor(lab: Pick<DemoPort, 'world' | 'runFolder'>) {
    this.#lab = lab;
  }

  /** Looks again; the reloads of all nginx there ever were. */
  async total(): Promise<number> {
    const blades = this.#lab.world.datacentres.flatMap((datacentre) => datacentre.blades);
    const sockets = blades.map(({ name }) => join(this.#lab.runFolder, name, runFiles.nginxSocket));
    for (const status of await Promise.all(sockets.map(controlStatus)))
      if (status !== undefined) this.#ofInstance.set(status.instance, status.reloads);
    return [...this.#ofInstance.values()].reduce((sum, reloads) => sum + reloads, 0);
  }
}
