import { readPage } from '../kube/api/answers.ts';
import type { KubeClient, KubeRequest } from '../kube/api/client.ts';
import type { Pod } from '../kube/kinds/pod.ts';
import { readObject } from '../kube/read-object.ts';
import type { Clock } from '../runtime/clock.ts';
import { stateOfFolder } from './workers.ts';

/** A Pod as far as its address is concerned; `name` is `namespace/name`. */
export interface FoundPod {
  readonly name: string;
  readonly node?: string;
  readonly phase?: string;
}

/**
 * The Pods of a cluster that have this address, as its kube-apiserver lists them. It can be asked for the first address of a Pod only;
 * for another one, such as that of the second family, all Pods are read. Rejects with ApiError, and when the time is over.
 */
export async function podsOfApi(client: KubeClient, address: string, timeoutMs: number): Promise<readonly FoundPod[]> {
  const signal = AbortSignal.timeout(timeoutMs);
  const list = async (query: KubeRequest['query'] = {}) =>
    readPage(await client.request({ path: '/api/v1/pods', query: { limit: 500, ...query }, signal, timeoutMs }));
  const first = (await list({ fieldSelector: `status.podIP=${address}` })).items.flatMap(podIn);
  if (first.length > 0) return first.map(found);
  const others: Pod[] = [];
  for (let next: string | undefined = ''; next !== undefined; ) {
    const page = await list(next === '' ? {} : { continue: next });
    others.push(...page.items.flatMap(podIn).filter((pod) => addressesOf(pod).includes(address)));
    next = page.next;
  }
  return others.map(found);
}

/** The Pod in an item of a list; nothing for one that cannot be read. */
function podIn(item: Readonly<Record<string, unknown>>): readonly Pod[] {
  const read = readObject('Pod', { apiVersion: 'v1', kind: 'Pod', ...item });
  return read.ok && read.object.kind === 'Pod' ? [read.object] : [];
}

/** The Pods of a folder of manifests that have this address. Rejects when it cannot be read in time. */
export async function podsOfFolder(
  folder: string,
  address: string,
  clock: Clock,
  timeoutMs: number,
): Promise<readonly FoundPod[]> {
  const state = await stateOfFolder(folder, clock, timeoutMs);
  return [...state.objects.Pod.values()].filter((pod) => addressesOf(pod).includes(address)).map(found);
}

function addressesOf({ status }: Pod): readonly string[] {
  const { podIP, podIPs = [] } = status ?? {};
  return [...(podIP === undefined ? [] : [podIP]), ...podIPs.map(({ ip }) => ip)];
}

function found({ metadata, spec, status }: Pod): FoundPod {
  const { nodeName } = spec ?? {};
  const { phase } = status ?? {};
  return {
    name: `${metadata.namespace ?? ''}/${metadata.name}`,
    ...(nodeName === undefined ? {} : { node: nodeName }),
    ...(phase === undefined ? {} : { phase }),
  };
}
