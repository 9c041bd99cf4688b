import type { ArtifactName } from '../spec/kinds/release.ts';
import type { Fleet, Server } from '../spec/kinds.ts';
import type { Platform } from '../spec/platform.ts';

/** The version of each artifact whose version a Fleet decides; of the others its Release has one, or the newest counts. */
export function artifactVersions(versions: Fleet['spec']['versions']): Readonly<Partial<Record<ArtifactName, string>>> {
  const { kubernetes, kubelet = kubernetes, etcd, containerd } = versions;
  return {
    etcd,
    etcdctl: etcd,
    etcdutl: etcd,
    'kube-apiserver': kubernetes,
    'kube-controller-manager': kubernetes,
    'kube-scheduler': kubernetes,
    kubectl: kubernetes,
    kubelet,
    'kube-proxy': kubelet,
    containerd,
  };
}

/**
 * The site of a stretched etcd whose loss leaves no quorum, with its members; undefined where there is none, and where all members stand in one site,
 * which the cluster then shares its fate with.
 */
export function siteOfQuorum(
  members: readonly Server[],
): { readonly site: string; readonly members: readonly Server[] } | undefined {
  const bySite = [...Map.groupBy(members, ({ spec }) => spec.site)];
  const tolerated = Math.floor((members.length - 1) / 2);
  const found = bySite.find(([, there]) => there.length > tolerated);
  return bySite.length < 2 || found === undefined ? undefined : { site: found[0], members: found[1] };
}

/** The GPUs of the active workers of a cluster, by product: what it has for pods that ask for `nvidia.com/gpu`. Empty where it has none, or no Servers. */
export function gpusOfCluster({ servers, serverClasses }: Platform, cluster: string): Readonly<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const { spec } of servers.values()) {
    const gpus = serverClasses.get(spec.class)?.spec.gpus;
    const isWorker = spec.cluster === cluster && spec.state === 'active' && spec.roles.includes('worker');
    if (isWorker && gpus !== undefined) found[gpus.product] = (found[gpus.product] ?? 0) + gpus.count;
  }
  return found;
}
