import type { EdgePool } from '../spec/kinds.ts';
import { compareText } from '../values.ts';

/** A keeper never lets go of a VIP for want of an agent: the first `minAnnouncers` blades of a pool by name (decision 2). */
export function isKeeper(pool: EdgePool, bladeName: string): boolean {
  const names = pool.spec.blades.map(({ name }) => name).toSorted(compareText);
  return names.slice(0, pool.spec.minAnnouncers).includes(bladeName);
}
