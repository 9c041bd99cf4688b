import { clientAddress } from '../../src/geo/prefixes.ts';
import { addressAt, parsePrefix } from '../../src/model/address.ts';
import type { Location } from '../../src/model/geo/locations.ts';
import { siteOfCluster } from '../../src/model/platform/places.ts';
import { InputError } from '../../src/model/problem.ts';
import type { Cluster, EdgePool, Site } from '../../src/model/spec/kinds.ts';
import type { Platform } from '../../src/model/spec/platform.ts';
import { application } from './application.ts';

/**
 * The lab adds to the platform spec the networks between the sites, the servers that run pods, and the users. It reads
 * everything else (sites, routers, blades, VIPs, clusters) from the spec.
 */
export const transits = [
  { name: 'transit-europe', asn: 64501, id: '172.16.255.1' },
  { name: 'transit-america', asn: 64502, id: '172.16.255.2' },
  { name: 'transit-asia', asn: 64503, id: '172.16.255.3' },
] as const;

/** What the lab adds to a data centre of the spec. The first uplink is its nearest; the pods' pool is the site's first pod prefix. */
interface Place {
  readonly uplinks: readonly string[];
  readonly workers: readonly Server[];
  readonly master: Server;
}

/** The places of the sites of the example; others have one by `placeOf`. */
const datacentreSites: Readonly<Record<string, Place>> = {
  paris: {
    uplinks: ['transit-europe', 'transit-america'],
    workers: [
      { name: 'paris-worker-1', address: '10.1.0.11' },
      { name: 'paris-worker-2', address: '10.1.0.12' },
    ],
    master: { name: 'paris-master-1', address: '10.1.0.5' },
  },
  newyork: {
    uplinks: ['transit-america', 'transit-europe'],
    workers: [
      { name: 'newyork-worker-1', address: '10.2.0.11' },
      { name: 'newyork-worker-2', address: '10.2.0.12' },
    ],
    master: { name: 'newyork-master-1', address: '10.2.0.5' },
  },
};

const cloudSites: Readonly<
  Record<string, { readonly transit: string; readonly asn: number; readonly prefix: string }>
> = {
  'cloud-europe': { transit: 'transit-europe', asn: 64511, prefix: '10.31.0.0/24' },
  'cloud-america': { transit: 'transit-america', asn: 64512, prefix: '10.32.0.0/24' },
  'cloud-asia': { transit: 'transit-asia', asn: 64513, prefix: '10.33.0.0/24' },
};

const userSites = [
  { name: 'users-europe', transit: 'transit-europe', countries: ['FR', 'GB', 'ZA', 'SN', 'EG'] },
  { name: 'users-america', transit: 'transit-america', countries: ['US', 'CA', 'BR'] },
  { name: 'users-asia', transit: 'transit-asia', countries: ['JP', 'IN', 'AU'] },
] as const;

/** The name servers: one machine on the European transit, with an address for each. */
export const nameServers = {
  namespace: 'dns',
  transit: 'transit-europe',
  route53: '198.18.53.1',
  powerdns: '198.18.53.2',
} as const;

/** The operator's machine, where the lab's own process asks routers, agents and name servers, and runs `tideline steering apply`. */
export const operator = { namespace: 'operator', transit: 'transit-europe', address: '198.18.54.1' } as const;

export interface Server {
  readonly name: string;
  readonly address: string;
}

export interface Datacentre {
  readonly site: string;
  readonly cluster: string;
  readonly pool: string;
  readonly router: Server & { readonly asn: number };
  readonly serverAsn: number;
  readonly uplinks: readonly string[];
  readonly workers: readonly Server[];
  readonly blades: readonly Server[];
  /** The servers of the control plane; none where a folder of manifests plays it. */
  readonly masters: readonly Server[];
  readonly vips: readonly string[];
  readonly prefixes: {
    readonly pods: readonly string[];
    readonly servers: readonly string[];
    readonly vips: readonly string[];
  };
}

export interface CloudRegion {
  readonly site: string;
  readonly cluster: string;
  readonly transit: string;
  readonly asn: number;
  readonly anycast: readonly string[];
  readonly location: Location;
  /** The addresses of pods and of the load balancer inside the cloud's network, which the transits play as well. */
  readonly prefix: string;
  /** The address from which the region's part of the load balancer asks pods and other regions. */
  readonly address: string;
}

export interface Client {
  readonly country: string;
  readonly address: string;
  /** The name server that the client asks. */
  readonly resolver: 'route53' | 'powerdns';
}

export interface UserSite {
  readonly name: string;
  readonly transit: string;
  readonly clients: readonly Client[];
}

/** Every machine of a data centre but its router. */
export function serversOf({ workers, blades, masters }: Datacentre): readonly Server[] {
  return [...workers, ...blades, ...masters];
}

export interface World {
  readonly datacentres: readonly Datacentre[];
  readonly regions: readonly CloudRegion[];
  readonly users: readonly UserSite[];
}

/**
 * The world of a platform: the spec's sites with the lab's networks around them, and a master server a data centre where
 * control planes are real. Throws InputError for a platform it cannot host.
 */
export function worldOf(platform: Platform, controlPlanes = false): World {
  if (!platform.policies.has(application.policy))
    throw new InputError({
      reason: 'NoPlaceInLab',
      message: `the lab's clients follow the TrafficPolicy ${application.policy}, which this spec does not have`,
      fix: `give the policy that the clients should follow the name ${application.policy}`,
    });
  const datacentres: Datacentre[] = [];
  const regions: CloudRegion[] = [];
  for (const cluster of platform.clusters.values()) {
    const { entry, sites } = cluster.spec;
    if ('edgePool' in entry)
      datacentres.push(datacentreOf(platform, cluster.metadata.name, entry.edgePool, controlPlanes));
    else for (const site of sites) regions.push(regionOf(platform, cluster, site));
  }
  const users = userSites.map(({ name, transit, countries }) => ({
    name,
    transit,
    clients: countries.flatMap(clientsOf),
  }));
  return { datacentres, regions, users };
}

function datacentreOf(platform: Platform, cluster: string, poolName: string, controlPlanes: boolean): Datacentre {
  const pool = platform.edgePools.get(poolName);
  const site = siteOfCluster(platform, cluster);
  const router = site?.spec.routers[0];
  const lab = site === undefined ? undefined : (datacentreSites[site.metadata.name] ?? placeOf(site, pool));
  if (
    pool === undefined ||
    site === undefined ||
    router === undefined ||
    lab === undefined ||
    site.spec.serverAsn === undefined
  )
    throw new InputError({
      reason: 'NoPlaceInLab',
      message: `the lab has no place for cluster ${cluster}: its site needs a router, an AS number of servers, and three free addresses for servers`,
      fix: 'add what is missing to the site (spec.routers, spec.serverAsn, spec.prefixes.servers)',
    });
  const { prefixes } = site.spec;
  return {
    site: site.metadata.name,
    cluster,
    pool: poolName,
    router: { name: router.name, address: router.address.text, asn: router.asn },
    serverAsn: site.spec.serverAsn,
    uplinks: lab.uplinks,
    workers: lab.workers,
    blades: pool.spec.blades.map((blade) => ({ name: blade.name, address: blade.address.text })),
    masters: controlPlanes ? [lab.master] : [],
    vips: pool.spec.vips.map((vip) => vip.address.text),
    prefixes: {
      pods: prefixes.pods.map((p) => p.text),
      servers: prefixes.servers.map((p) => p.text),
      vips: prefixes.vips.map((p) => p.text),
    },
  };
}

/** Free addresses of servers are looked for from here on. */
const firstServer = 11;
const mostServers = 250;

/** Two workers and a master in free addresses of the site's first prefix of servers, and uplinks by where it is; undefined without room. */
function placeOf({ metadata: { name }, spec }: Site, pool: EdgePool | undefined): Place | undefined {
  const [prefix] = spec.prefixes.servers;
  if (prefix === undefined) return undefined;
  const taken = new Set([...spec.routers, ...(pool?.spec.blades ?? [])].map(({ address }) => address.text));
  const free: string[] = [];
  for (let index = firstServer; free.length < 3 && index < mostServers; index += 1) {
    const text = addressAt(prefix, index)?.text;
    if (text !== undefined && !taken.has(text)) free.push(text);
  }
  const [first, second, third] = free;
  if (first === undefined || second === undefined || third === undefined) return undefined;
  return {
    uplinks: uplinksOf(spec.location.longitude),
    workers: [
      { name: `${name}-worker-1`, address: first },
      { name: `${name}-worker-2`, address: second },
    ],
    master: { name: `${name}-master-1`, address: third },
  };
}

/** The nearest transit, and another one. */
function uplinksOf(longitude: number): readonly string[] {
  if (longitude < -30) return ['transit-america', 'transit-europe'];
  return longitude < 60 ? ['transit-europe', 'transit-america'] : ['transit-asia', 'transit-europe'];
}

function regionOf(platform: Platform, { metadata, spec: { entry } }: Cluster, site: string): CloudRegion {
  const lab = cloudSites[site];
  const location = platform.sites.get(site)?.spec.location;
  const prefix = lab === undefined ? undefined : parsePrefix(lab.prefix);
  const address = prefix === undefined ? undefined : addressAt(prefix, 1);
  if (lab === undefined || location === undefined || address === undefined)
    throw new InputError({
      reason: 'NoPlaceInLab',
      message: `the lab has no place for cloud region ${site}`,
      fix: 'add the region to lab/world/topology.ts',
    });
  const anycast = 'anycast' in entry ? entry.anycast.map((one) => one.text) : [];
  return { site, cluster: metadata.name, anycast, location, address: address.text, ...lab };
}

/** Two clients of the country, in different subnets where the data allows: each asks one of the two name servers. */
function clientsOf(country: string): readonly Client[] {
  return [
    { country, address: clientAddress(country, 0), resolver: 'route53' },
    { country, address: clientAddress(country, 1), resolver: 'powerdns' },
  ];
}
