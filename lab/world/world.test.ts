import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseAddress } from '../../src/model/address.ts';
import type { Cluster, Site } from '../../src/model/spec/kinds.ts';
import type { Platform } from '../../src/model/spec/platform.ts';
import { loadPlatformOrThrow } from '../../src/platform/load.ts';
import { endOf, type Link, linksOf } from './links.ts';
import { routersOf } from './routers.ts';
import { transits, type World, worldOf } from './topology.ts';

let platform: Platform;
let world: World;
let links: readonly Link[];
beforeAll(async () => {
  platform = await loadPlatformOrThrow([join(import.meta.dirname, '..', '..', 'examples', 'hybrid')]);
  world = worldOf(platform);
  links = linksOf(world);
});

describe('the world of the example', () => {
  it('has two data centres, three regions, and users of eight or more countries on all continents', () => {
    expect(world.datacentres.map((d) => [d.site, d.workers.length, d.blades.length, d.uplinks.length])).toEqual([
      ['paris', 2, 2, 2],
      ['newyork', 2, 2, 2],
    ]);
    expect(world.regions.map((region) => region.site)).toEqual(['cloud-europe', 'cloud-america', 'cloud-asia']);
    const clients = world.users.flatMap((site) => site.clients);
    const countries = new Set(clients.map((client) => client.country));
    for (const country of ['FR', 'GB', 'US', 'CA', 'BR', 'JP', 'IN', 'AU', 'ZA', 'SN'])
      expect(countries).toContain(country);
    expect(new Set(clients.map((client) => client.address)).size).toBe(clients.length);
    for (const { address } of clients) expect(parseAddress(address)?.family).toBe(4);
  });

  it('fits the kernel: names of devices, one device of a name, addresses used once between routers', () => {
    const ends = links.flatMap(({ a, b }) => [a, b]);
    for (const { device } of ends) expect(device.length).toBeLessThanOrEqual(15);
    expect(new Set(ends.map((end) => `${end.namespace}/${end.device}`)).size).toBe(ends.length);
    const between = ends.filter((end) => end.address.startsWith('172.16.')).map((end) => end.address);
    expect(new Set(between).size).toBe(between.length);
  });

  it('gives the two ends of a link each other’s address', () => {
    for (const { a, b } of links) {
      expect(a.address).toBe(b.peer);
      expect(b.address).toBe(a.peer);
    }
    expect(endOf(links, 'paris-tor', 'blade-1').peer).toBe('10.1.0.21');
  });

  it('configures every session on both sides', () => {
    const routers = routersOf(world, links);
    expect(routers.map((router) => router.name)).toEqual([
      ...transits.map((transit) => transit.name),
      'paris-tor',
      'newyork-tor',
      'cloud-europe',
      'cloud-america',
      'cloud-asia',
    ]);
    const names = new Set(routers.map((router) => router.name));
    for (const { name, neighbors } of routers)
      for (const neighbor of neighbors.filter((candidate) => names.has(candidate.name)))
        expect(routers.find((router) => router.name === neighbor.name)?.neighbors.map((n) => n.name)).toContain(name);
    const rack = routers.find((router) => router.name === 'paris-tor');
    expect(rack?.neighbors).toHaveLength(6);
    expect(rack?.config).toContain('10.10.0.0/16');
    expect(rack?.config).toMatch(/import limit 256 action block/);
  });

  it('has a master server a data centre where control planes are real, with a link to the operator beside the rack', () => {
    expect(world.datacentres.flatMap(({ masters }) => masters)).toEqual([]);
    const real = worldOf(platform, true);
    expect(real.datacentres.flatMap(({ masters }) => masters.map(({ name, address }) => `${name} ${address}`))).toEqual(
      ['paris-master-1 10.1.0.5', 'newyork-master-1 10.2.0.5'],
    );
    const more = linksOf(real);
    expect(more).toHaveLength(links.length + 4);
    const devices = more.flatMap(({ a, b }) => [a, b]).map((end) => `${end.namespace}/${end.device}`);
    expect(new Set(devices).size).toBe(devices.length);
    for (const device of devices) expect(device.split('/')[1]?.length).toBeLessThanOrEqual(15);
    expect(endOf(more, 'paris-tor', 'master-1').peer).toBe('10.1.0.5');
    expect(routersOf(real, more).map(({ neighbors }) => neighbors.length)).toEqual(
      routersOf(world, links).map(({ neighbors }) => neighbors.length),
    );
  });
});

describe('a data centre that the lab does not know', () => {
  const renamed = (change: (site: Site) => Site): Platform => {
    const paris = platform.sites.get('paris') as Site;
    const cluster = platform.clusters.get('paris') as Cluster;
    const site = change({ ...paris, metadata: { name: 'rome' } });
    return {
      ...platform,
      sites: new Map([...platform.sites, ['rome', site]]),
      clusters: new Map([['paris', { ...cluster, spec: { ...cluster.spec, sites: ['rome'] } }]]),
    };
  };

  it('has the nearest uplinks, and workers in addresses that nobody has', () => {
    const [rome] = worldOf(renamed((site) => site)).datacentres;
    expect(rome?.uplinks[0]).toBe('transit-europe');
    expect(rome?.workers).toEqual([
      { name: 'rome-worker-1', address: '10.1.0.11' },
      { name: 'rome-worker-2', address: '10.1.0.12' },
    ]);
    const inAsia = ({ spec, ...site }: Site): Site => ({
      ...site,
      spec: { ...spec, location: { ...spec.location, longitude: 139 } },
    });
    expect(worldOf(renamed(inAsia)).datacentres[0]?.uplinks).toEqual(['transit-asia', 'transit-europe']);
  });

  it('is refused without a prefix that has room for its servers, and says what is missing', () => {
    const small = ({ spec, ...site }: Site): Site => ({
      ...site,
      spec: { ...spec, prefixes: { ...spec.prefixes, servers: [] } },
    });
    expect(() => worldOf(renamed(small))).toThrow(/three free addresses for servers \(NoPlaceInLab\)/);
  });
});
