import { readPage } from '../kube/api/answers.ts';
import { ApiError, type KubeClient } from '../kube/api/client.ts';
import { collectionPath } from '../kube/api/resources.ts';
import { readObject } from '../kube/read-object.ts';
import { apiVersion } from '../model/contract.ts';
import type { DrainAnswers } from '../model/platform/drain-answers.ts';
import { noTrust, type Trust } from '../model/platform/trust.ts';
import { placeOfApi } from '../model/source-status.ts';
import type { ApiKindName } from '../model/spec/kinds.ts';
import { withoutUndefined } from '../model/values.ts';
import { mostObjects } from '../platform/admit.ts';
import { type ApiObject, type SpecApi } from '../platform/spec-api.ts';
import { answersInStatus } from './answers-in-status.ts';

/** What is read of an API, and what it is trusted for. */
export interface SpecQuestion {
  readonly trust: Trust;
  readonly kinds: readonly ApiKindName[];
}

/** Of an API that is not trusted for more. */
const untrusted: SpecQuestion = { trust: noTrust, kinds: ['EdgePool', 'Drain'] };

/**
 * What the API of a cluster says of the platform spec now, for a command that looks once. A cluster in which the definitions are not
 * installed says nothing, unless it is trusted for more: then somebody counts on them. Rejects with ApiError when it cannot be read.
 */
export async function readSpecApi(
  client: KubeClient,
  cluster: string,
  timeoutMs: number,
  { trust, kinds }: SpecQuestion = untrusted,
): Promise<SpecApi> {
  const signal = AbortSignal.timeout(timeoutMs);
  const mayLack = trust.size === 0;
  const answers = new Map<string, DrainAnswers>();
  const lists = await Promise.all(kinds.map((kind) => listOf(client, kind, { signal, timeoutMs, mayLack, answers })));
  return { place: placeOfApi(cluster), cluster, trust, objects: lists.flat(), answers };
}

interface Listing {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly mayLack: boolean;
  /** What the status of Drains says of DNS is put there. */
  readonly answers: Map<string, DrainAnswers>;
}

async function listOf(
  client: KubeClient,
  kind: ApiKindName,
  { signal, timeoutMs, mayLack, answers }: Listing,
): Promise<readonly ApiObject[]> {
  const objects: ApiObject[] = [];
  const path = collectionPath(kind, apiVersion);
  try {
    for (let next: string | undefined = ''; next !== undefined && objects.length <= mostObjects; ) {
      const query: Record<string, string | number> = { limit: 500, ...(next === '' ? {} : { continue: next }) };
      const page = readPage(await client.request({ path, query, signal, timeoutMs }));
      for (const item of page.items) {
        const read = readObject(kind, item);
        if (!read.ok || read.object.kind !== kind) continue;
        const { metadata, spec, status } = read.object;
        const said = kind === 'Drain' ? answersInStatus(status) : undefined;
        if (said !== undefined) answers.set(metadata.name, said);
        objects.push({ kind, name: metadata.name, spec, ...withoutUndefined({ generation: metadata.generation }) });
      }
      next = page.next;
    }
  } catch (error) {
    if (mayLack && error instanceof ApiError && error.status === 404) return [];
    throw error;
  }
  return objects;
}
