import { InputError } from '../../../model/problem.ts';
import type { EdgePool } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';

/** The platform as a blade sees it: the whole, and its own pool in it. */
export interface BladePlatform {
  readonly platform: Platform;
  readonly pool: EdgePool;
}

/** Throws InputError for a pool, or a blade of it, that the platform does not know. */
export function bladePlatform(platform: Platform, poolName: string, blade: string): BladePlatform {
  const pool = platform.edgePools.get(poolName);
  if (pool === undefined) throw unknown(`there is no EdgePool ${poolName}`, [...platform.edgePools.keys()]);
  const blades = pool.spec.blades.map(({ name }) => name);
  if (!blades.includes(blade)) throw unknown(`EdgePool ${poolName} has no blade ${blade}`, blades);
  return { platform, pool };
}

function unknown(message: string, known: readonly string[]): InputError {
  const expected = `one of ${known.toSorted().join(', ') || '(there are none)'}`;
  return new InputError({ reason: 'UnknownName', message, expected, fix: 'name one of these, or declare it' });
}
