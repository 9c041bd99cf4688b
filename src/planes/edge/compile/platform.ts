import { findObject } from '../../../model/platform/find.ts';
import { bladeOf } from '../../../model/platform/places.ts';
import { InputError } from '../../../model/problem.ts';
import type { EdgePool } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { unknownName } from '../../../model/spec/unknown-name.ts';

/** The platform as a blade sees it: the whole, and its own pool in it. */
export interface BladePlatform {
  readonly platform: Platform;
  readonly pool: EdgePool;
}

/** Throws InputError for a pool, or a blade of it, that the platform does not know. */
export function bladePlatform(platform: Platform, poolName: string, blade: string): BladePlatform {
  const pool = findObject(platform, 'EdgePool', poolName);
  if (bladeOf(pool, blade) === undefined) {
    const blades = pool.spec.blades.map(({ name }) => name);
    throw new InputError({ ...unknownName('blade', blade, blades), object: `EdgePool/${poolName}` });
  }
  return { platform, pool };
}
