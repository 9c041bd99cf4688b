import { contains, type Prefix } from '../../../../model/address.ts';
import type { FleetContext } from '../context.ts';
import type { Manifest } from './manifest.ts';

const apiVersion = 'crd.projectcalico.org/v1';

/** Calico's IPAM: where blocks come from, and how many a worker may hold. Its IPv6 blocks have always this length. */
const ipv6BlockLength = 122;

export interface CalicoIpam {
  readonly blockLength: number;
  readonly maxBlocksPerWorker: number;
}

export function calicoObjects(fleet: FleetContext, ipam: CalicoIpam): readonly Manifest[] {
  return [
    {
      apiVersion,
      kind: 'ClusterInformation',
      metadata: { name: 'default' },
      spec: {
        calicoVersion: `v${fleet.artifacts.get('calico-cni')?.version ?? '0'}`,
        // Any text that no other cluster has; drawn by lot, a cluster that is set up again would be another one.
        clusterGUID: `tideline-${fleet.cluster}`,
        clusterType: 'k8s',
        datastoreReady: true,
      },
    },
    {
      apiVersion,
      kind: 'IPAMConfig',
      metadata: { name: 'default' },
      // Not strict: a pod whose worker finds no block left borrows an address, which the network agent announces as a host route.
      spec: { autoAllocateBlocks: true, maxBlocksPerHost: ipam.maxBlocksPerWorker, strictAffinity: false },
    },
    ...fleet.fleet.network.pods.map((prefix) => pool(fleet, prefix, ipam)),
  ];
}

/** Every pod is routable by its own address: nothing is encapsulated and nothing translated. */
function pool(fleet: FleetContext, prefix: Prefix, ipam: CalicoIpam): Manifest {
  return {
    apiVersion,
    kind: 'IPPool',
    metadata: { name: `pods-${prefix.text.replaceAll(/[^0-9a-f]+/g, '-')}` },
    spec: {
      cidr: prefix.text,
      blockSize: prefix.family === 6 ? ipv6BlockLength : ipam.blockLength,
      ipipMode: 'Never',
      vxlanMode: 'Never',
      natOutgoing: false,
      nodeSelector: nodesOf(fleet, prefix),
      allowedUses: ['Workload'],
    },
  };
}

/** In a cluster of several sites a worker takes blocks from the prefixes of its own site: no router of another one would take their routes. */
function nodesOf({ cluster, platform }: FleetContext, prefix: Prefix): string {
  const sites = platform.clusters.get(cluster)?.spec.sites ?? [];
  const having = sites.filter((name) =>
    platform.sites.get(name)?.spec.prefixes.pods.some((whole) => contains(whole, prefix)),
  );
  if (having.length === 0 || having.length === sites.length) return 'all()';
  return `topology.kubernetes.io/region in { ${having.map((name) => `"${name}"`).join(', ')} }`;
}
