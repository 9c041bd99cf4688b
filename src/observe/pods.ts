import { readPage } from '../kube/api/answers.ts';
import type { KubeClient } from '../kube/api/client.ts';
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

/** The Pods of a cluster that have this address, as its kube-apiserver lists them. Rejects with ApiError. */
export async function podsOfApi(client: KubeClient, address: string, timeoutMs: number): Promise<readonly FoundPod[]> {
  const query = { fieldSelector: `status.podIP=${address}`, limit: 10 };
  const page = readPage(await client.request({ path: '/api/v1/pods', query, timeoutMs }));
  return page.items.flatMap((item) => {
    const read = readObject('Pod', { apiVersion: 'v1', kind: 'Pod', ...item });
    return read.ok && read.object.kind === 'Pod' ? [found(read.object)] : [];
  });
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
