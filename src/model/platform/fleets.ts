import type { ArtifactName } from '../spec/kinds/release.ts';
import type { Fleet } from '../spec/kinds.ts';

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
