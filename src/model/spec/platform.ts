import type { Cluster, Drain, EdgePool, Freeze, Site, TrafficPolicy } from './kinds.ts';

/** The whole platform, validated: every reference resolves, nothing overlaps. Objects are keyed by name. */
export interface Platform {
  readonly sites: ReadonlyMap<string, Site>;
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly edgePools: ReadonlyMap<string, EdgePool>;
  readonly policies: ReadonlyMap<string, TrafficPolicy>;
  readonly drains: ReadonlyMap<string, Drain>;
  readonly freezes: ReadonlyMap<string, Freeze>;
  /** The folder that a cluster's relative `manifests` or `kubeconfig` starts from: that of the file that declares the cluster. */
  readonly folderOf: (clusterName: string) => string;
}
