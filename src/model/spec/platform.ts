import type { Cluster, Drain, EdgePool, Site, TrafficPolicy } from './kinds.ts';

/** The whole platform, validated: every reference resolves, nothing overlaps. Keyed by name. */
export interface Platform {
  readonly sites: ReadonlyMap<string, Site>;
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly edgePools: ReadonlyMap<string, EdgePool>;
  readonly policies: ReadonlyMap<string, TrafficPolicy>;
  readonly drains: ReadonlyMap<string, Drain>;
  /** The folder a cluster's relative `manifests` or `kubeconfig` starts from: where the file that declares it lies. */
  readonly folderOf: (clusterName: string) => string;
}
