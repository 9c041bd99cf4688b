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
import { type Looked, type SteeredKind, SteeredStatuses, steeredKinds, steeringManager } from './steered-status.ts';

/**
 * Writes once to the API of a cluster what a command found in the zones, as the agent does that leads: the status of policies, what DNS makes of
 * Drains and overlays, and which words count. Rejects with ApiError when the API cannot be read or takes no status.
 */
export async function writeSteered(
  client: KubeClient,
  cluster: string,
  looked: Looked,
  { nowMs, timeoutMs }: { readonly nowMs: number; readonly timeoutMs: number },
): Promise<void> {
  const lists = await Promise.all(
    steeredKinds.map(async (kind) => {
      const isThere = looked.verdicts.some((one) => one.kind === kind);
      return [kind, isThere ? await objectsOf(client, kind, timeoutMs) : []] as const;
    }),
  );
  const objects = new Map<SteeredKind, readonly OwnObject<string>[]>(lists);
  const wishes = new SteeredStatuses().wishes(placeOfApi(cluster), (kind) => objects.get(kind) ?? [], looked, nowMs);
  for (const wish of wishes) await put(client, wish, timeoutMs);
}

async function objectsOf(
  client: KubeClient,
  kind: SteeredKind,
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
