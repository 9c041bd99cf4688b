import { Cluster, Drain, EdgePool, Freeze, Site, TrafficPolicy } from '../../src/model/spec/kinds.ts';
import type { Platform } from '../../src/model/spec/platform.ts';

/** This file has builders of spec objects, and of a platform of them, for tests of the rules in `src/model/platform`. */

const head = (kind: string, name: string) => ({ apiVersion: 'tideline.dev/v1alpha1', kind, metadata: { name } });
const location = { country: 'FR', latitude: 0, longitude: 0 };

export const site = (name: string, servers: string): Site =>
  Site.parse({ ...head('Site', name), spec: { type: 'datacentre', location, prefixes: { servers: [servers] } } });

export const cluster = (name: string, sites: readonly string[], entry: object): Cluster =>
  Cluster.parse({ ...head('Cluster', name), spec: { sites, source: { none: true }, entry } });

export const pool = (name: string, spec: object): EdgePool => EdgePool.parse({ ...head('EdgePool', name), spec });

export const policy = (name: string, answers: object): TrafficPolicy =>
  TrafficPolicy.parse({
    ...head('TrafficPolicy', name),
    spec: { hosts: [`${name}.example`], dns: { zone: `${name}.example`, providers: ['route53'] }, ...answers },
  });

/** A drain that is named `kind-target`, in lower case. */
export const drain = (kind: string, name: string, expires: string): Drain =>
  Drain.parse({
    ...head('Drain', `${kind}-${name}`.toLowerCase()),
    spec: { target: { kind, name }, reason: 'r', expires },
  });

/**
 * Two data centres, north and south. The cluster `two-sites` is in both and served by the blades a, b (north) and c (south);
 * the cluster `cloud` answers on an anycast address. The policy `video` answers with both.
 */
/** A Freeze that began at the epoch, with these fields instead. */
export const freeze = (change: Partial<Freeze['spec']>, name = 'platform'): Freeze =>
  Freeze.parse({
    ...head('Freeze', name),
    spec: { reason: 'flapping', by: 'anna', since: '1970-01-01T00:00:00Z', ...change },
  });

export function twoSites(...drains: readonly Drain[]): Platform {
  const edge = pool('edge', {
    cluster: 'two-sites',
    minAnnouncers: 2,
    blades: [
      { name: 'c', address: '10.2.0.1' },
      { name: 'a', address: '10.1.0.1' },
      { name: 'b', address: '10.1.0.2' },
    ],
    vips: [{ address: '192.0.2.10' }, { address: '10.9.0.1', scope: 'private' }],
  });
  const video = policy('video', {
    rules: [{ countries: ['FR'], continents: ['AN'], clusters: [{ name: 'two-sites' }], failover: ['cloud'] }],
    default: { clusters: [{ name: 'cloud' }] },
  });
  return {
    sites: byName(site('north', '10.1.0.0/24'), site('south', '10.2.0.0/24')),
    clusters: byName(
      cluster('two-sites', ['north', 'south'], { edgePool: 'edge' }),
      cluster('cloud', ['south'], { anycast: ['203.0.113.10'] }),
    ),
    edgePools: byName(edge),
    policies: byName(video),
    drains: byName(...drains),
    freezes: new Map(),
    overlays: new Map(),
    verdicts: new Map(),
    serverClasses: new Map(),
    servers: new Map(),
    releases: new Map(),
    fleets: new Map(),
    scalingTargets: new Map(),
    folderOf: () => '/',
  };
}

function byName<T extends { readonly metadata: { readonly name: string } }>(...list: readonly T[]) {
  return new Map(list.map((object) => [object.metadata.name, object]));
}
