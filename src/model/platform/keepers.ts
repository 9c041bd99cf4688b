import type { EdgePool } from '../spec/kinds.ts';
import { compareText } from '../values.ts';

/** True for the first `minAnnouncers` blades of a pool by name: these keepers hold a VIP also without an agent (decision 2). */
export function isKeeper(pool: EdgePool, bladeName: string): boolean {
  const names = pool.spec.blades.map(({ name }) => name).toSorted(compareText);
  return names.slice(0, pool.spec.minAnnouncers).includes(bladeName);
}
