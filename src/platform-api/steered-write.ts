import { readPage } from '../kube/api/answers.ts';
import type { KubeClient } from '../kube/api/client.ts';
import { collectionPath } from '../kube/api/resources.ts';
import type { OwnObject } from '../kube/objects/own.ts';
import { readObject } from '../kube/read-object.ts';
import type { StatusWish } from '../kube/status/contest.ts';
import { pathOf } from '../kube/status/object.ts';
import { apiVersion } from '../model/contract.ts';
import { placeOfApi } from '../model/source-status.ts';
import { withoutUndefined } from '../model/values.ts';
import { mostObjects } from '../platform/admit.ts';
import { type Looked, SteeredStatuses, steeringManager } from './steered-status.ts';

/**
 * Writes once to the API of a cluster what a command found in the zones, as the agent does that leads: the status of policies and what DNS makes of
 * Drains. Rejects with ApiError when the API cannot be read or takes no status.
 */
export async function writeSteered(
  client: KubeClient,
  cluster: string,
  looked: Looked,
  { nowMs, timeoutMs }: { readonly nowMs: number; readonly timeoutMs: number },
): Promise<void> {
  const list = (kind: 'TrafficPolicy' | 'Drain') =>
    looked.verdicts.some((one) => one.kind === kind) ? objectsOf(client, kind, timeoutMs) : [];
  const objects = { policies: await list('TrafficPolicy'), drains: await list('Drain') };
  for (const wish of new SteeredStatuses().wishes(placeOfApi(cluster), objects, looked, nowMs))
    await put(client, wish, timeoutMs);
}

async function objectsOf(
  client: KubeClient,
  kind: 'TrafficPolicy' | 'Drain',
  timeoutMs: number,
): Promise<readonly OwnObject<string>[]> {
  const path = collectionPath(kind, apiVersion);
  const { items } = readPage(await client.request({ path, query: { limit: mostObjects }, timeoutMs }));
  return items.flatMap((item) => {
    const read = readObject(kind, item);
    return read.ok ? [read.object as OwnObject<string>] : [];
  });
}

async function put(client: KubeClient, { object, wanted }: StatusWish, timeoutMs: number): Promise<void> {
  const { kind, name } = object;
  await client.request({
    method: 'PATCH',
    path: `${pathOf(object)}/status`,
    query: { fieldManager: steeringManager },
    contentType: 'application/apply-patch+yaml',
    body: { apiVersion, kind, metadata: { name }, ...withoutUndefined({ status: wanted }) },
    timeoutMs,
  });
}
