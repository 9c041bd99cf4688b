import { join } from 'node:path';
import { controlStatus } from '../daemons/nginx.ts';
import type { Lab } from '../lab.ts';

/** Configuration reloads of every blade's nginx together, as each counts itself; one that is down counts none. */
export async function reloadsOfAll(lab: Lab): Promise<number> {
  const blades = lab.world.datacentres.flatMap((datacentre) => datacentre.blades);
  const statuses = await Promise.all(
    blades.map(({ name }) => controlStatus(join(lab.options.runFolder, name, 'nginx.sock'))),
  );
  return statuses.reduce((sum, status) => sum + (status?.reloads ?? 0), 0);
}
