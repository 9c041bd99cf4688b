import { apiVersion } from '../../src/model/contract.ts';
import type { EdgePool } from '../../src/model/spec/kinds.ts';
import { Cluster, Drain, Site, TrafficPolicy } from '../../src/model/spec/kinds.ts';
import type { Platform } from '../../src/model/spec/platform.ts';
import { withoutUndefined } from '../../src/model/values.ts';
import { poolForTests } from './edge-pool.ts';

/** A platform with the site and cluster paris, the pool paris-edge, the policy video, and these drains. */
export function platformForTests(
  options: {
    readonly pool?: EdgePool;
    readonly drains?: readonly { readonly kind: string; readonly name: string; readonly expires: string }[];
    readonly hosts?: readonly string[];
    readonly minReadyRatio?: number;
  } = {},
): Platform {
  const site = Site.parse({
    apiVersion,
    kind: 'Site',
    metadata: { name: 'paris' },
    spec: {
      type: 'datacentre',
      location: { country: 'FR', latitude: 48, longitude: 2 },
      prefixes: { pods: ['10.10.0.0/16', 'fd00::/16'], servers: ['10.1.0.0/24'], vips: ['192.0.2.0/28'] },
    },
  });
  const cluster = Cluster.parse({
    apiVersion,
    kind: 'Cluster',
    metadata: { name: 'paris' },
    spec: { sites: ['paris'], source: { manifests: './clusters/paris' }, entry: { edgePool: 'paris-edge' } },
  });
  const policy = TrafficPolicy.parse({
    apiVersion,
    kind: 'TrafficPolicy',
    metadata: { name: 'video' },
    spec: {
      hosts: options.hosts ?? ['www.video.example'],
      dns: { zone: 'video.example', providers: ['route53'] },
      default: { clusters: [{ name: 'cloud' }], failover: ['paris'] },
      ...withoutUndefined({ minReadyRatio: options.minReadyRatio }),
    },
  });
  const drains = (options.drains ?? []).map(({ kind, name, expires }) =>
    Drain.parse({
      apiVersion,
      kind: 'Drain',
      metadata: { name: `drain-${name}` },
      spec: { target: { kind, name }, reason: 'test', expires },
    }),
  );
  return {
    sites: new Map([['paris', site]]),
    clusters: new Map([['paris', cluster]]),
    edgePools: new Map([['paris-edge', options.pool ?? poolForTests()]]),
    policies: new Map([['video', policy]]),
    drains: new Map(drains.map((drain) => [drain.metadata.name, drain])),
    freezes: new Map(),
    overlays: new Map(),
    verdicts: new Map(),
    serverClasses: new Map(),
    servers: new Map(),
    releases: new Map(),
    fleets: new Map(),
    scalingTargets: new Map(),
    folderOf: () => '/platform',
  };
}
