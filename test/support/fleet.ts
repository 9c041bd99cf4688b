import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { artifactNames } from '../../src/model/spec/kinds/release.ts';
import { Cluster, EdgePool, Fleet, Release, Server, ServerClass, Site } from '../../src/model/spec/kinds.ts';
import type { Platform } from '../../src/model/spec/platform.ts';
import type { AgentUnits } from '../../src/planes/fleet/compile/context.ts';

/** This file has platforms of servers, of one of each role or of thousands. */

const object = (kind: string, name: string, spec: object) => ({
  apiVersion: 'tideline.dev/v1alpha1',
  kind,
  metadata: { name },
  spec,
});

export interface FleetShape {
  readonly sites: number;
  readonly workersPerSite: number;
  readonly bladesPerSite: number;
  readonly ipam?: object;
  readonly versions?: object;
  /** Whether members of etcd have servers of their own. */
  readonly dedicatedEtcd?: boolean;
  readonly gpus?: boolean;
  readonly monitoring?: object;
  readonly etcd?: object;
}

const versions = { kubernetes: '1.36.3', etcd: '3.6.8', containerd: '2.1.4' };
const small: FleetShape = { sites: 1, workersPerSite: 3, bladesPerSite: 2 };

/** A site has one cluster: three members and control planes (one set of servers, or two), workers and blades, in racks of 24. */
export function fleetPlatform(change: Partial<FleetShape> = {}): Platform {
  const shape = { ...small, ...change };
  const sites = Array.from({ length: shape.sites }, (_, index) => index);
  return {
    sites: byName(sites.map(siteOf)),
    clusters: byName(sites.map(clusterOf)),
    edgePools: byName(sites.map((site) => poolOf(site, shape))),
    policies: new Map(),
    drains: new Map(),
    freezes: new Map(),
    overlays: new Map(),
    verdicts: new Map(),
    serverClasses: byName(classes),
    servers: byName(sites.flatMap((site) => serversOf(site, shape))),
    releases: byName([releaseOf({ ...versions, ...shape.versions })]),
    scalingTargets: new Map(),
    fleets: byName(sites.map((site) => fleetOf(site, shape))),
    folderOf: () => '/',
  };
}

const cluster = (site: number) => `site${site}`;
const addressOf = (site: number, index: number) => `10.${site + 1}.${index >> 8}.${index & 255}`;

const siteOf = (site: number): Site =>
  Site.parse(
    object('Site', cluster(site), {
      type: 'datacentre',
      location: { country: 'FR', latitude: 0, longitude: 0 },
      routers: [1, 2].map((tor) => ({ name: `site${site}-tor${tor}`, address: addressOf(site, tor), asn: 65010 })),
      serverAsn: 65011,
      prefixes: {
        servers: [`10.${site + 1}.0.0/16`],
        pods: [`10.${site + 101}.0.0/16`],
        vips: [`192.0.${site}.0/24`],
      },
    }),
  );

const clusterOf = (site: number): Cluster =>
  Cluster.parse(
    object('Cluster', cluster(site), {
      sites: [cluster(site)],
      source: { none: true },
      entry: { edgePool: `${cluster(site)}-edge` },
    }),
  );

const bladeName = (site: number, index: number) => `site${site}-blade${String(index).padStart(3, '0')}`;

const poolOf = (site: number, { bladesPerSite }: FleetShape): EdgePool =>
  EdgePool.parse(
    object('EdgePool', `${cluster(site)}-edge`, {
      cluster: cluster(site),
      blades: Array.from({ length: bladesPerSite }, (_, index) => ({
        name: bladeName(site, index),
        address: addressOf(site, 100 + index),
      })),
      vips: [{ address: `192.0.${site}.10` }],
    }),
  );

const classes: readonly ServerClass[] = [
  ServerClass.parse(
    object('ServerClass', 'plain', {
      disks: [
        { device: '/dev/nvme1n1', use: 'etcd' },
        { device: '/dev/nvme2n1', use: 'containers' },
      ],
    }),
  ),
  ServerClass.parse(
    object('ServerClass', 'gpu', { gpus: { product: 'NVIDIA H100 80GB HBM3', count: 8, driver: '570.133.20-1' } }),
  ),
];

const fleetOf = (site: number, { ipam, ...shape }: FleetShape): Fleet =>
  Fleet.parse(
    object('Fleet', cluster(site), {
      cluster: cluster(site),
      release: 'current',
      versions: { ...versions, ...shape.versions },
      network: { pods: [`10.${site + 101}.0.0/16`], services: [`10.${site + 201}.0.0/20`] },
      api: { vip: `192.0.${site}.1`, names: [`api.site${site}.example`] },
      ...(ipam === undefined ? {} : { ipam }),
      ...(shape.monitoring === undefined ? {} : { monitoring: shape.monitoring }),
      ...(shape.etcd === undefined ? {} : { etcd: shape.etcd }),
    }),
  );

function serversOf(site: number, shape: FleetShape): readonly Server[] {
  const make = (name: string, index: number, roles: readonly string[], rack: number, serverClass = 'plain') =>
    Server.parse(
      object('Server', name, {
        site: cluster(site),
        rack: `r${String(rack).padStart(3, '0')}`,
        class: serverClass,
        addresses: [addressOf(site, index)],
        cluster: cluster(site),
        roles,
      }),
    );
  const three = [0, 1, 2];
  const apart = shape.dedicatedEtcd === true;
  return [
    ...three.map((n) =>
      make(`site${site}-control${n}`, 10 + n, apart ? ['control-plane'] : ['control-plane', 'etcd'], n),
    ),
    ...(apart ? three.map((n) => make(`site${site}-etcd${n}`, 20 + n, ['etcd'], n)) : []),
    ...Array.from({ length: shape.bladesPerSite }, (_, n) => make(bladeName(site, n), 100 + n, ['blade'], n)),
    ...Array.from({ length: shape.workersPerSite }, (_, n) =>
      make(
        `site${site}-worker${String(n).padStart(4, '0')}`,
        1000 + n,
        ['worker'],
        Math.floor(n / 24),
        shape.gpus === true ? 'gpu' : 'plain',
      ),
    ),
  ];
}

/** Every artifact, in the versions of the Fleet or one of its own. */
function releaseOf(used: Readonly<Record<string, string>>): Release {
  const own: Readonly<Record<string, string | undefined>> = { etcdctl: used.etcd, etcdutl: used.etcd, ...used };
  const others: Readonly<Record<string, string>> = {
    runc: '1.3.0',
    'cni-plugins': '1.7.1',
    'calico-cni': '3.32.1',
    'calico-felix': '3.32.1',
    tideline: '0.1.0',
  };
  return Release.parse(
    object('Release', 'current', {
      artifacts: artifactNames.map((name, index) => {
        const version = others[name] ?? own[name] ?? used.kubernetes;
        return {
          name,
          version,
          source: `salt://artifacts/${name}-${version}`,
          sha256: index.toString(16).repeat(64).slice(0, 64),
          package: name === 'tideline' ? 'deb' : ['containerd', 'cni-plugins'].includes(name) ? 'tar' : 'file',
        };
      }),
    }),
  );
}

function byName<T extends { readonly metadata: { readonly name: string } }>(
  list: readonly T[],
): ReadonlyMap<string, T> {
  return new Map(list.map((one) => [one.metadata.name, one]));
}

/** The units that this checkout ships. */
export function shippedUnits(): AgentUnits {
  const folder = 'deploy/systemd';
  const names = readdirSync(folder).filter((name) => /\.(service|target)$/.test(name));
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

/** One server of each role: what it is, its name, and the platform that it is in. */
export const oneOfEachRole: readonly (readonly [string, string, Partial<FleetShape>])[] = [
  ['stacked-control-plane', 'site0-control0', {}],
  ['dedicated-etcd', 'site0-etcd0', { dedicatedEtcd: true }],
  ['worker-calico', 'site0-worker0000', {}],
  ['worker-static', 'site0-worker0000', { ipam: { static: {} } }],
  ['worker-gpu', 'site0-worker0000', { gpus: true }],
  ['blade', 'site0-blade000', {}],
  ['blade-monitored', 'site0-blade000', { monitoring: {} }],
];
