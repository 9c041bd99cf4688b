import { readPage } from '../kube/api/answers.ts';
import type { KubeClient } from '../kube/api/client.ts';
import { createManifestSource } from '../kube/manifests/source.ts';
import { readObject } from '../kube/read-object.ts';
import type { ClusterState, SourceStatus } from '../kube/source.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import { silentLog } from '../runtime/log.ts';
import type { Worker } from './targets.ts';

type Node = ClusterState['objects']['Node'] extends ReadonlyMap<unknown, infer Value> ? Value : never;

/** The workers of a cluster, as its kube-apiserver lists them. Rejects with ApiError. */
export async function workersOfApi(client: KubeClient, timeoutMs: number): Promise<readonly Worker[]> {
  const signal = AbortSignal.timeout(timeoutMs);
  const workers: Worker[] = [];
  for (let next: string | undefined = ''; next !== undefined; ) {
    const query: Record<string, string | number> = { limit: 500, ...(next === '' ? {} : { continue: next }) };
    const page = readPage(await client.request({ path: '/api/v1/nodes', query, signal, timeoutMs }));
    for (const item of page.items) {
      const read = readObject('Node', { apiVersion: 'v1', kind: 'Node', ...item });
      if (read.ok && read.object.kind === 'Node') workers.push(workerOf(read.object));
      else workers.push({ name: nameOf(item) });
    }
    next = page.next;
  }
  return workers;
}

/** The workers of a cluster that is a folder of manifests. Rejects when it cannot be read in time. */
export async function workersOfFolder(folder: string, clock: Clock, timeoutMs: number): Promise<readonly Worker[]> {
  return [...(await stateOfFolder(folder, clock, timeoutMs)).objects.Node.values()].map(workerOf);
}

/** A folder that is replaced by another one is missing, or empty, for a moment. */
const momentMs = 300;

/** What a folder of manifests holds. Rejects when it cannot be read in time, soon when it says why. */
export async function stateOfFolder(folder: string, clock: Clock, timeoutMs: number): Promise<ClusterState> {
  const source = createManifestSource({ folder, clock, log: silentLog });
  const { promise, resolve, reject } = Promise.withResolvers<ClusterState>();
  const timer = clock.setTimeout(() => reject(new Error(problemOf(source.status()))), timeoutMs);
  let soon: Timer | undefined;
  const onStatus = (status: SourceStatus): void => {
    if (status.phase === 'live' || status.reason === undefined) return;
    soon ??= clock.setTimeout(() => reject(new Error(problemOf(source.status()))), momentMs);
  };
  source.start({ onChange: ({ state }) => resolve(state), onStatus });
  try {
    return await promise;
  } finally {
    timer.cancel();
    soon?.cancel();
    await source.stop();
  }
}

function problemOf(status: SourceStatus): string {
  return 'message' in status && status.message !== undefined ? status.message : 'the folder could not be read in time';
}

function workerOf({ metadata, status }: Node): Worker {
  const addresses = status?.addresses ?? [];
  const internal = addresses.find(({ type }) => type === 'InternalIP');
  return { name: metadata.name, ...(internal === undefined ? {} : { address: internal.address }) };
}

/** The name of a Node that cannot be read otherwise. */
function nameOf({ metadata }: Readonly<Record<string, unknown>>): string {
  const name = typeof metadata === 'object' && metadata !== null && 'name' in metadata ? metadata.name : undefined;
  return typeof name === 'string' ? name : '(unnamed)';
}
