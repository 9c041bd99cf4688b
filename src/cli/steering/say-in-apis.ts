import { placeOfApi } from '../../model/source-status.ts';
import type { Platform } from '../../model/spec/platform.ts';
import { messageOf } from '../../model/values.ts';
import type { Carried } from '../../planes/steering/zones-after.ts';
import { printErrorLines } from '../../runtime/print.ts';
import type { Trusted } from '../agent/spec-sources.ts';
import { readCluster } from '../cluster-read.ts';
import type { Planned } from './connect.ts';

/** The limit for each request. */
const patienceMs = 5000;

/**
 * Writes what became of the plans into the status of the objects of the APIs of which the platform was read. Never rejects: what was written
 * to DNS stands, whatever an API makes of it.
 */
export async function sayInApis(
  { platform, plans, said }: Planned,
  carried: Carried,
  trusted: readonly Trusted[] = [],
): Promise<void> {
  if (said === undefined) return;
  const { zonesAfter } = await import('../../planes/steering/zones-after.ts');
  const nowMs = Date.now();
  const looked = { platform, ...said, zones: zonesAfter(platform, plans, carried, nowMs) };
  const { writeSteered } = await import('../../platform-api/steered-write.ts');
  const clusters = [...new Set(trusted.map(({ cluster }) => cluster))];
  await Promise.all(
    clusters.map((cluster) =>
      inApi(platform, cluster, (client) => writeSteered(client, cluster, looked, { nowMs, timeoutMs: patienceMs })),
    ),
  );
}

async function inApi(
  platform: Platform,
  cluster: string,
  write: Parameters<typeof readCluster<void>>[2]['api'],
): Promise<void> {
  await readCluster<void>(platform, cluster, { folder: async () => {}, api: write }).catch((error: unknown) =>
    printErrorLines([`warning: the status in the ${placeOfApi(cluster)} is not written: ${messageOf(error)}`]),
  );
}
