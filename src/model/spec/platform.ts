import type {
  Cluster,
  Drain,
  EdgePool,
  Fleet,
  Freeze,
  Release,
  ScalingTarget,
  Server,
  ServerClass,
  Site,
  TrafficOverlay,
  TrafficPolicy,
  TrafficVerdict,
} from './kinds.ts';
import type { OverlayView } from './overlay-view.ts';

/** The whole platform, validated: every reference resolves, nothing overlaps. Objects are keyed by name. */
export interface Platform {
  readonly sites: ReadonlyMap<string, Site>;
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly edgePools: ReadonlyMap<string, EdgePool>;
  readonly policies: ReadonlyMap<string, TrafficPolicy>;
  readonly drains: ReadonlyMap<string, Drain>;
  readonly freezes: ReadonlyMap<string, Freeze>;
  readonly overlays: ReadonlyMap<string, TrafficOverlay>;
  readonly verdicts: ReadonlyMap<string, TrafficVerdict>;
  readonly serverClasses: ReadonlyMap<string, ServerClass>;
  readonly servers: ReadonlyMap<string, Server>;
  readonly releases: ReadonlyMap<string, Release>;
  readonly fleets: ReadonlyMap<string, Fleet>;
  readonly scalingTargets: ReadonlyMap<string, ScalingTarget>;
  /** What overlays made of `policies`; absent while these are as they are written. */
  readonly overlaid?: readonly OverlayView[];
  /** The folder that a cluster's relative `manifests` or `kubeconfig` starts from: that of the file that declares the cluster. */
  readonly folderOf: (clusterName: string) => string;
}
