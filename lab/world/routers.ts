import { type RouterNeighbor, renderRouter } from '../daemons/birdconfig.ts';
import { type End, endOf, type Link, portOf, stubHostsOf } from './links.ts';
import { type CloudRegion, type Datacentre, transits, type World } from './topology.ts';

/** One BIRD: its configuration as text, and the protocols, one for each neighbour, that `show protocols` lists. */
export interface Router {
  readonly name: string;
  readonly config: string;
  readonly neighbors: readonly { readonly protocol: string; readonly name: string }[];
}

/** Every router of the world: the transits, a top-of-rack router for each data centre, a border router for each region. */
export function routersOf(world: World, links: readonly Link[]): readonly Router[] {
  return [
    ...transits.map((transit) => transitRouter(world, links, transit)),
    ...world.datacentres.map((datacentre) => rackRouter(links, datacentre)),
    ...world.regions.map((region) => regionRouter(links, region)),
  ];
}

/** The name of the protocol for a neighbour, without dashes, which BIRD's symbols may not have. */
export function protocolName(neighbor: string): string {
  return neighbor.replaceAll('-', '_');
}

function transitRouter(world: World, links: readonly Link[], transit: (typeof transits)[number]): Router {
  const asnOf = new Map<string, number>([
    ...transits.map((other) => [other.name, other.asn] as const),
    ...world.datacentres.map(({ router }) => [router.name, router.asn] as const),
    ...world.regions.map((region) => [region.site, region.asn] as const),
  ]);
  const ends = links.flatMap(({ a, b }) => [a, b]).filter((end) => end.namespace === transit.name);
  const neighbors = ends.flatMap((end) => {
    const asn = asnOf.get(end.device);
    return asn === undefined ? [] : [neighborAt(end, end.device, asn)];
  });
  const originate = stubHostsOf(world, transit.name).flatMap(({ addresses }) => addresses.map((a) => `${a}/32`));
  return router(transit.name, { routerId: transit.id, asn: transit.asn, neighbors, originate });
}

/** The rack router takes from each server the routes that the Site allows, at most 256, and announces nothing to servers. */
function rackRouter(links: readonly Link[], datacentre: Datacentre): Router {
  const { router: rack, serverAsn, prefixes, workers, blades, uplinks, site } = datacentre;
  const server = (name: string, allowed: readonly string[]): RouterNeighbor => ({
    ...neighborAt(endOf(links, rack.name, portOf(site, name)), name, serverAsn),
    accept: [...prefixes.servers, ...allowed].map((prefix) => ({ prefix })),
    announce: 'nothing',
    maxPrefixes: 256,
  });
  const neighbors = [
    ...uplinks.map((uplink) => neighborAt(endOf(links, rack.name, uplink), uplink, transitAsn(uplink))),
    ...workers.map((worker) => server(worker.name, prefixes.pods)),
    ...blades.map((blade) => server(blade.name, prefixes.vips)),
  ];
  return router(rack.name, { routerId: rack.address, asn: rack.asn, neighbors, originate: prefixes.servers });
}

function regionRouter(links: readonly Link[], region: CloudRegion): Router {
  const end = endOf(links, region.site, region.transit);
  const neighbors = [{ ...neighborAt(end, region.transit, transitAsn(region.transit)), accept: [] }];
  const originate = [...region.anycast.map((address) => `${address}/32`), region.prefix];
  return router(region.site, { routerId: region.address, asn: region.asn, neighbors, originate });
}

function router(name: string, spec: Parameters<typeof renderRouter>[0]): Router {
  const neighbors = spec.neighbors.map((neighbor) => ({
    protocol: neighbor.name,
    name: neighbor.name.replaceAll('_', '-'),
  }));
  return { name, config: renderRouter(spec), neighbors };
}

function neighborAt(end: End, name: string, asn: number): RouterNeighbor {
  return { name: protocolName(name), localAddress: end.address, address: end.peer, asn, accept: 'all' };
}

function transitAsn(name: string): number {
  return transits.find((transit) => transit.name === name)?.asn ?? 0;
}
