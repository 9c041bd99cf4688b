import type { FleetContext } from './context.ts';
import type { Component, InstalledArtifact } from './document.ts';

/** Where programs are. Each version has a folder of its own, and a name that leads to the one in use. */
export const binaries = {
  etcd: '/usr/local/bin/etcd',
  etcdctl: '/usr/local/bin/etcdctl',
  etcdutl: '/usr/local/bin/etcdutl',
  'kube-apiserver': '/usr/local/bin/kube-apiserver',
  'kube-controller-manager': '/usr/local/bin/kube-controller-manager',
  'kube-scheduler': '/usr/local/bin/kube-scheduler',
  kubectl: '/usr/local/bin/kubectl',
  kubelet: '/usr/local/bin/kubelet',
  'kube-proxy': '/usr/local/bin/kube-proxy',
  containerd: '/opt/containerd',
  runc: '/usr/local/sbin/runc',
  'cni-plugins': '/opt/cni/bin',
} as const;

/** The artifacts that components of a server name, with their places; one that the Release lacks is left out. */
export function installed(
  fleet: FleetContext,
  components: readonly Component[],
): Readonly<Record<string, InstalledArtifact>> {
  const names = [...new Set(components.flatMap(({ artifacts }) => artifacts))].toSorted();
  return Object.fromEntries(
    names.flatMap((name) => {
      const artifact = fleet.artifacts.get(name);
      if (artifact === undefined) return [];
      const { version, source, sha256, package: form } = artifact;
      return [[name, { version, source, sha256, package: form, ...placeOf(fleet, name, version, form) }]];
    }),
  );
}

function placeOf(fleet: FleetContext, name: string, version: string, form: InstalledArtifact['package']) {
  if (form === 'deb') return {};
  if (name === 'calico-cni') return calicoPlace(fleet);
  const link = Object.entries(binaries).find(([known]) => known === name)?.[1] ?? `/usr/local/bin/${name}`;
  const folder = name === 'cni-plugins' ? cniFolder(fleet) : `/opt/tideline-fleet/${name}/${version}`;
  if (form === 'tar' && !['containerd', 'cni-plugins'].includes(name)) return { path: folder, link: `/opt/${name}` };
  return { path: form === 'tar' ? folder : `${folder}/${name}`, link };
}

/**
 * Calico's program stands among the other plugins, in a folder named after both versions, under the two names that it is called by:
 * `calico` is the file and `calico-ipam` the link to it.
 */
function calicoPlace(fleet: FleetContext) {
  const folder = cniFolder(fleet);
  return { path: `${folder}/calico`, link: `${folder}/calico-ipam` };
}

function cniFolder({ artifacts }: FleetContext): string {
  const version = (name: string) => artifacts.get(name)?.version ?? 'none';
  return `/opt/tideline-fleet/cni-plugins/${version('cni-plugins')}-calico-${version('calico-cni')}`;
}
