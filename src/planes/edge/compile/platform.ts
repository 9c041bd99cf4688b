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

/** The blade that an agent runs on, by the names that its command line has. */
export interface BladeNames {
  readonly pool: string;
  readonly blade: string;
  /** The Cluster whose objects the agent reads; where absent, that of the pool. */
  readonly cluster?: string | undefined;
}

/** Throws InputError for a pool, or a blade of it, that the platform does not know, and for a pool of another cluster. */
export function bladePlatform(platform: Platform, { pool: poolName, blade, cluster }: BladeNames): BladePlatform {
  const pool = findObject(platform, 'EdgePool', poolName);
  if (cluster !== undefined && cluster !== pool.spec.cluster)
    throw new InputError({
      reason: 'PoolOfOtherCluster',
      object: `EdgePool/${poolName}`,
      path: '--cluster',
      message: `the pool serves the cluster ${pool.spec.cluster}, and this agent reads ${cluster}`,
      fix: "name the pool's cluster, or a pool of this cluster",
    });
  if (bladeOf(pool, blade) === undefined) {
    const blades = pool.spec.blades.map(({ name }) => name);
    throw new InputError({ ...unknownName('blade', blade, blades), object: `EdgePool/${poolName}` });
  }
  return { platform, pool };
}
