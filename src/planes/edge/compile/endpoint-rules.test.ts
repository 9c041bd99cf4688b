import { describe, expect, test } from 'vitest';
import { poolForTests } from '../../../../test/support/edge-pool.ts';
import { apiVersion } from '../../../model/contract.ts';
import { Cluster, EdgePool, Site } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { checkEndpoint, endpointRules } from './endpoint-rules.ts';

const named = <Kind>(kind: string, name: string, spec: object): Kind =>
  ({ apiVersion, kind, metadata: { name }, spec }) as Kind;

/** Two data centres with a pool each, and a cloud with an anycast address. `pods` are those of Paris. */
function world(endpoints: object, pods: readonly string[] = ['10.10.0.0/16', 'fd10::/64']) {
  const location = { country: 'FR', latitude: 48, longitude: 2 };
  const paris = Site.parse(
    named('Site', 'paris', {
      type: 'datacentre',
      location,
      routers: [{ name: 'tor', address: '10.9.0.1', asn: 65010 }],
      serverAsn: 65011,
      prefixes: { pods, servers: ['10.1.0.0/24', 'fd01::/64'], vips: ['192.0.2.0/28'] },
    }),
  );
  const newyork = Site.parse(
    named('Site', 'newyork', {
      type: 'datacentre',
      location,
      routers: [{ name: 'ny-tor', address: '10.20.255.1', asn: 65020 }],
      serverAsn: 65021,
      prefixes: { pods: ['10.20.0.0/16'], servers: ['10.2.0.0/24'], vips: ['198.51.100.0/28'] },
    }),
  );
  const pool = poolForTests({ endpoints });
  const other = EdgePool.parse(
    named('EdgePool', 'newyork-edge', {
      cluster: 'newyork',
      blades: [{ name: 'ny-blade', address: '10.2.0.21' }],
      vips: [{ address: '198.51.100.10' }],
    }),
  );
  const cluster = (name: string, entry: object) =>
    Cluster.parse(named('Cluster', name, { sites: [name], source: { none: true }, entry }));
  const platform: Platform = {
    sites: new Map([
      ['paris', paris],
      ['newyork', newyork],
    ]),
    clusters: new Map([
      ['paris', cluster('paris', { edgePool: 'paris-edge' })],
      ['newyork', cluster('newyork', { edgePool: 'newyork-edge' })],
      ['cloud', cluster('cloud', { anycast: ['203.0.113.10'] })],
    ]),
    edgePools: new Map([
      ['paris-edge', pool],
      ['newyork-edge', other],
    ]),
    policies: new Map(),
    freezes: new Map(),
    overlays: new Map(),
    verdicts: new Map(),
    serverClasses: new Map(),
    servers: new Map(),
    releases: new Map(),
    fleets: new Map(),
    scalingTargets: new Map(),
    drains: new Map(),
    folderOf: () => '/',
  };
  return { platform, pool };
}

/** Where an EndpointSlice leads, and what becomes of it: by default, with `anywhere`, and with `hostNetwork`. */
const rows: readonly (readonly [string, string, string, string, string])[] = [
  ['a pod of the cluster', '10.10.3.4', 'ok', 'ok', 'ok'],
  ['a pod of the cluster, IPv6', 'fd10::5', 'ok', 'ok', 'ok'],
  ['a blade of the pool', '10.1.0.21', 'EndpointIsOwn', 'EndpointIsOwn', 'EndpointIsOwn'],
  ['a VIP of the pool', '192.0.2.10', 'EndpointIsOwn', 'EndpointIsOwn', 'EndpointIsOwn'],
  ['a blade of another pool', '10.2.0.21', 'EndpointOfPlatform', 'EndpointOfPlatform', 'EndpointOfPlatform'],
  ['a VIP of another pool', '198.51.100.10', 'EndpointOfPlatform', 'EndpointOfPlatform', 'EndpointOfPlatform'],
  ['a future VIP of its own site', '192.0.2.3', 'EndpointOfPlatform', 'EndpointOfPlatform', 'EndpointOfPlatform'],
  ['an anycast entry', '203.0.113.10', 'EndpointOfPlatform', 'EndpointOfPlatform', 'EndpointOfPlatform'],
  ['a router', '10.9.0.1', 'EndpointOfPlatform', 'EndpointOfPlatform', 'EndpointOfPlatform'],
  ['a router inside pods', '10.20.255.1', 'EndpointOfPlatform', 'EndpointOfPlatform', 'EndpointOfPlatform'],
  ['a worker of the cluster', '10.1.0.99', 'EndpointOfPlatform', 'EndpointOfPlatform', 'ok'],
  ['a worker of the cluster, IPv6', 'fd01::99', 'EndpointOfPlatform', 'EndpointOfPlatform', 'ok'],
  ['a worker of another cluster', '10.2.0.99', 'EndpointOfPlatform', 'EndpointOfPlatform', 'EndpointOfPlatform'],
  ['a pod of another cluster', '10.20.0.7', 'EndpointOutsidePods', 'ok', 'EndpointOutsidePods'],
  ['the Internet', '8.8.8.8', 'EndpointOutsidePods', 'ok', 'EndpointOutsidePods'],
  ['loopback', '127.0.0.1', 'EndpointAddressForbidden', 'EndpointAddressForbidden', 'EndpointAddressForbidden'],
];

describe('endpoints that lead to', () => {
  test.each(rows)('%s (%s) by default %s, with anywhere %s, with hostNetwork %s', (_, address, ...expected) => {
    const worlds = [world({}), world({ allow: 'anywhere' }), world({ hostNetwork: true })];
    const actual = worlds.map((blade) => {
      const checked = checkEndpoint(address, endpointRules(blade));
      return checked.ok ? 'ok' : checked.reason;
    });
    expect(actual).toEqual(expected);
  });

  test('where the sites of the cluster list no pod prefixes, anything but the platform may be an endpoint', () => {
    const rules = endpointRules(world({}, []));
    expect(checkEndpoint('172.16.0.1', rules).ok).toBe(true);
    expect(checkEndpoint('10.2.0.21', rules)).toMatchObject({ ok: false, reason: 'EndpointOfPlatform' });
  });

  test('are judged by the rules of the compile before only while platform and pool are the same', () => {
    const blade = world({});
    const rules = endpointRules(blade);
    expect(endpointRules(blade, { ...blade, rules })).toBe(rules);
    expect(endpointRules({ ...blade, platform: { ...blade.platform } }, { ...blade, rules })).not.toBe(rules);
  });
});
