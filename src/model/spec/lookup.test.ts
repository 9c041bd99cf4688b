import { expect, test } from 'vitest';
import { Cluster, Drain, EdgePool, Site, TrafficPolicy } from './kinds.ts';
import {
  activeDrains,
  clustersOfPolicy,
  countriesOfRule,
  drainsOfCluster,
  entryAddresses,
  findBlade,
  keepersOf,
  siteOfCluster,
  siteOfServer,
} from './lookup.ts';
import type { Platform } from './platform.ts';

const head = (kind: string, name: string) => ({ apiVersion: 'tideline.dev/v1alpha1', kind, metadata: { name } });
const location = { country: 'FR', latitude: 0, longitude: 0 };
const site = (name: string, servers: string) =>
  Site.parse({ ...head('Site', name), spec: { type: 'datacentre', location, prefixes: { servers: [servers] } } });
const drain = (kind: string, name: string, expires: string) =>
  Drain.parse({
    ...head('Drain', `${kind}-${name}`.toLowerCase()),
    spec: { target: { kind, name }, reason: 'r', expires },
  });
const later = '2027-01-01T00:00:00Z';
const now = Date.parse('2026-06-01T00:00:00Z');

const pool = EdgePool.parse({
  ...head('EdgePool', 'edge'),
  spec: {
    cluster: 'two-sites',
    minAnnouncers: 2,
    blades: ['c', 'a', 'b'].map((name, index) => ({ name, address: `10.1.0.${index}` })),
    vips: [{ address: '192.0.2.10' }, { address: '10.9.0.1', scope: 'private' }],
  },
});
const policy = TrafficPolicy.parse({
  ...head('TrafficPolicy', 'video'),
  spec: {
    hosts: ['www.video.example'],
    dns: { zone: 'video.example', providers: ['route53'] },
    rules: [{ countries: ['FR'], continents: ['AN'], clusters: [{ name: 'two-sites' }], failover: ['cloud'] }],
    default: { clusters: [{ name: 'cloud' }] },
  },
});
const cluster = (name: string, sites: readonly string[], entry: object) =>
  Cluster.parse({ ...head('Cluster', name), spec: { sites, source: { none: true }, entry } });

function platform(...drains: readonly Drain[]): Platform {
  const byName = <T extends { readonly metadata: { readonly name: string } }>(...list: readonly T[]) =>
    new Map(list.map((object) => [object.metadata.name, object]));
  return {
    sites: byName(site('north', '10.1.0.0/24'), site('south', '10.2.0.0/24')),
    clusters: byName(
      cluster('two-sites', ['north', 'south'], { edgePool: 'edge' }),
      cluster('cloud', ['south'], { anycast: ['203.0.113.10'] }),
    ),
    edgePools: byName(pool),
    policies: byName(policy),
    drains: byName(...drains),
    folderOf: () => '/',
  };
}
const address = (text: string) => ({ family: 4, text }) as const;

test('a cluster has a first site, and a site for each of its servers', () => {
  expect(siteOfCluster(platform(), 'two-sites')?.metadata.name).toBe('north');
  expect(siteOfCluster(platform(), 'nowhere')).toBeUndefined();
  expect(siteOfServer(platform(), 'two-sites', address('10.2.0.7'))?.metadata.name).toBe('south');
  expect(siteOfServer(platform(), 'two-sites', address('10.3.0.7'))).toBeUndefined();
});

test('DNS answers with the public VIPs of the pool, or with the anycast addresses', () => {
  expect(entryAddresses(platform(), 'two-sites')).toEqual([address('192.0.2.10')]);
  expect(entryAddresses(platform(), 'cloud')).toEqual([address('203.0.113.10')]);
  expect(entryAddresses(platform(), 'nowhere')).toEqual([]);
});

test('a rule spells its continents out', () => {
  expect(policy.spec.rules.map(countriesOfRule)).toEqual([['AQ', 'FR', 'GS', 'TF']]);
  expect(clustersOfPolicy(policy)).toEqual(['cloud', 'two-sites']);
});

test('blades are found by name; the first ones by name are keepers', () => {
  expect(findBlade(platform(), 'b')?.blade.address.text).toBe('10.1.0.2');
  expect(findBlade(platform(), 'z')).toBeUndefined();
  expect(keepersOf(pool)).toEqual(['a', 'b']);
});

test('a cluster is drained by itself or with all of its sites, until the drain ends', () => {
  const names = (...drains: readonly Drain[]) =>
    drainsOfCluster(platform(...drains), 'two-sites', now).map((active) => active.metadata.name);
  const north = drain('Site', 'north', later);
  const south = drain('Site', 'south', later);
  expect(names(drain('Cluster', 'two-sites', later))).toEqual(['cluster-two-sites']);
  expect(names(north)).toEqual([]);
  expect(names(south, north)).toEqual(['site-north', 'site-south']);
  expect(names(north, drain('Site', 'south', '2026-05-31T23:59:59Z'))).toEqual([]);
  expect(names(drain('Cluster', 'two-sites', '2026-06-01T00:00:00Z'))).toEqual([]);
  expect(activeDrains(platform(south, north), now).map((active) => active.metadata.name)).toEqual([
    'site-north',
    'site-south',
  ]);
});
