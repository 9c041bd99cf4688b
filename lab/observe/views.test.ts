import { describe, expect, it } from 'vitest';
import type { World } from '../world/topology.ts';
import { clusterOfAddress } from './dns.ts';
import { clientOf, requestFrom } from './probe.ts';
import { routerViews } from './routers.ts';

const world: World = {
  datacentres: [
    {
      site: 'paris',
      cluster: 'paris',
      pool: 'paris',
      router: { name: 'paris-tor', address: '10.1.0.1', asn: 65010 },
      serverAsn: 65011,
      uplinks: [],
      workers: [],
      blades: [],
      masters: [],
      vips: ['192.0.2.10'],
      prefixes: { pods: [], servers: [], vips: [] },
    },
  ],
  regions: [
    {
      site: 'cloud-asia',
      cluster: 'cloud',
      transit: 'asia',
      asn: 64513,
      anycast: ['203.0.113.10'],
      location: { latitude: 35, longitude: 139 },
      prefix: '10.33.0.0/24',
      address: '10.33.0.1',
    },
  ],
  users: [
    { name: 'users-europe', transit: 'europe', clients: [{ country: 'FR', address: '2.0.0.1', resolver: 'route53' }] },
  ],
};

describe('views of a world', () => {
  it.each([
    ['192.0.2.10', 'paris'],
    ['203.0.113.10', 'cloud'],
    ['198.51.100.1', undefined],
  ])('know whose entry address %s is', (address, cluster) => {
    expect(clusterOfAddress({ world }, address)).toBe(cluster);
  });

  it('know where the clients of a country are', () => {
    expect(clientOf({ world }, 'FR')).toEqual({ namespace: 'users-europe', address: '2.0.0.1' });
    expect(() => clientOf({ world }, 'JP')).toThrow('no client in JP');
  });

  it('say that a router does not answer, instead of failing', async () => {
    const router = { name: 'paris-tor', config: '', neighbors: [{ protocol: 'transit', name: 'transit' }] };
    expect(await routerViews({ routers: [router], birdSocket: (name) => `/nowhere/${name}.ctl` })).toEqual([
      { name: 'paris-tor', answers: false, sessions: [{ neighbor: 'transit', established: false }] },
    ]);
  });

  it('never reject because a request failed', async () => {
    const network = { ip: async () => '', exec: () => Promise.reject(new Error('no such namespace')) };
    const options = { protocol: 'http', address: '192.0.2.10', host: 'a', source: '2.0.0.1', path: '/', timeoutMs: 10 };
    expect(await requestFrom({ world, network, node: 'node' }, 'gone', { ...options, protocol: 'http' })).toEqual({
      ok: false,
      reason: 'no such namespace',
    });
  });
});
