import type { Network } from '../net/network.ts';
import { nameServers, operator, serversOf, transits, type World } from './topology.ts';

/** One end of a link. `peer` is the other end's address, reached by a host route (point-to-point). */
export interface End {
  readonly namespace: string;
  readonly device: string;
  readonly address: string;
  readonly peer: string;
}
export interface Link {
  readonly a: End;
  readonly b: End;
}

/**
 * Every link of the world, in a stable order. Links between routers take pairs of 172.16.0.0/16. Masters have a link to the
 * operator's machine beside the one to their rack: the lab plays the nodes of a cluster from there, whatever fails between.
 */
export function linksOf(world: World): readonly Link[] {
  const links: Link[] = [];
  let next = 0;
  const join = (a: string, b: string): void => {
    const pair = next++;
    const address = (end: number): string => `172.16.${pair >> 7}.${(pair & 127) * 2 + end}`;
    links.push({
      a: { namespace: a, device: b, address: address(0), peer: address(1) },
      b: { namespace: b, device: a, address: address(1), peer: address(0) },
    });
  };
  for (const [index, transit] of transits.entries())
    for (const other of transits.slice(index + 1)) join(transit.name, other.name);
  for (const { router, uplinks } of world.datacentres) for (const uplink of uplinks) join(router.name, uplink);
  for (const region of world.regions) join(region.site, region.transit);
  for (const site of world.users) join(site.name, site.transit);
  join(nameServers.namespace, nameServers.transit);
  join(operator.namespace, operator.transit);
  for (const datacentre of world.datacentres) {
    const { site, router } = datacentre;
    for (const master of datacentre.masters)
      links.push({
        a: { namespace: master.name, device: 'management', address: master.address, peer: operator.address },
        b: { namespace: operator.namespace, device: `${site}-m`, address: operator.address, peer: master.address },
      });
    for (const server of serversOf(datacentre))
      links.push({
        a: { namespace: server.name, device: 'eth0', address: server.address, peer: router.address },
        b: { namespace: router.name, device: portOf(site, server.name), address: router.address, peer: server.address },
      });
  }
  return links;
}

/** The router's device towards a server: `worker-1` for paris-worker-1 (a device's name has at most 15 characters). */
export function portOf(site: string, server: string): string {
  return server.startsWith(`${site}-`) ? server.slice(site.length + 1) : server;
}

/** The end of a link in `namespace` whose device is `device`. Throws when there is none. */
export function endOf(links: readonly Link[], namespace: string, device: string): End {
  const end = links.flatMap(({ a, b }) => [a, b]).find((e) => e.namespace === namespace && e.device === device);
  if (end === undefined) throw new Error(`${namespace} has no device ${device}`);
  return end;
}

/** Makes every namespace, link, address and static route of the world. */
export async function buildNetwork(network: Network, world: World, links: readonly Link[]): Promise<void> {
  const namespaces = [...new Set(links.flatMap(({ a, b }) => [a.namespace, b.namespace]))];
  await network.adoptOwn(operator.namespace);
  await Promise.all(
    namespaces.filter((name) => name !== operator.namespace).map((namespace) => network.addNamespace(namespace)),
  );
  const created = Map.groupBy(links, (link) => link.a.namespace);
  await Promise.all(
    [...created].map(([namespace, own]) =>
      network.batch(
        namespace,
        own.map(
          ({ a, b }) =>
            `link add name ${a.device} type veth peer name ${b.device} netns ${network.kernelName(b.namespace)}`,
        ),
      ),
    ),
  );
  const routes = staticRoutes(world, links);
  const forwarding = new Set<string>([
    ...transits.map((transit) => transit.name),
    ...world.datacentres.flatMap(({ router, workers }) => [router.name, ...workers.map((worker) => worker.name)]),
  ]);
  await Promise.all(
    namespaces.map(async (namespace) => {
      const ends = links.flatMap(({ a, b }) => [a, b]).filter((end) => end.namespace === namespace);
      await network.batch(namespace, [
        ...ends.flatMap(({ device, address, peer }) => [
          `link set ${device} up`,
          `addr add ${address} peer ${peer}/32 dev ${device}`,
        ]),
        ...(routes.get(namespace) ?? []),
      ]);
      // Flows are hashed by layer 4, so that two connections of one client may take two blades. Reverse path filtering is off.
      await network.sysctl(namespace, [
        `net.ipv4.ip_forward=${forwarding.has(namespace) ? 1 : 0}`,
        'net.ipv4.fib_multipath_hash_policy=1',
        'net.ipv4.conf.all.rp_filter=0',
        'net.ipv4.conf.default.rp_filter=0',
      ]);
    }),
  );
}

/**
 * The machines of a transit that have no router of their own: users, name servers, the operator. The transit announces their
 * addresses.
 */
export function stubHostsOf(
  world: World,
  transit: string,
): readonly { readonly to: string; readonly addresses: readonly string[] }[] {
  const users = world.users
    .filter((site) => site.transit === transit)
    .map((site) => ({ to: site.name, addresses: site.clients.map((client) => client.address) }));
  const machines = [
    { to: nameServers.namespace, at: nameServers.transit, addresses: [nameServers.route53, nameServers.powerdns] },
    { to: operator.namespace, at: operator.transit, addresses: [operator.address] },
  ];
  return [...users, ...machines.filter((machine) => machine.at === transit)];
}

/**
 * Addresses on `lo` and default routes of the machines without a router of their own, by namespace. Routers learn theirs from
 * BIRD.
 */
function staticRoutes(world: World, links: readonly Link[]): ReadonlyMap<string, readonly string[]> {
  const lines = new Map<string, string[]>();
  const own = (namespace: string, addresses: readonly string[]): string[] =>
    addresses.map((a) => `addr add ${a}/32 dev lo`);
  for (const datacentre of world.datacentres) {
    const { router, blades, vips } = datacentre;
    for (const server of serversOf(datacentre))
      lines.set(server.name, [`route add default via ${router.address} dev eth0 src ${server.address}`]);
    for (const blade of blades) lines.get(blade.name)?.push(...own(blade.name, vips));
  }
  const configureStub = (namespace: string, transit: string, addresses: readonly string[]): void => {
    lines.set(namespace, [
      ...own(namespace, addresses),
      `route add default via ${endOf(links, namespace, transit).peer} dev ${transit} src ${addresses[0]}`,
    ]);
  };
  for (const region of world.regions) configureStub(region.site, region.transit, [...region.anycast, region.address]);
  for (const { name, transit, clients } of world.users)
    configureStub(
      name,
      transit,
      clients.map((client) => client.address),
    );
  configureStub(nameServers.namespace, nameServers.transit, [nameServers.route53, nameServers.powerdns]);
  configureStub(operator.namespace, operator.transit, [operator.address]);
  for (const { name } of transits)
    lines.set(
      name,
      stubHostsOf(world, name).flatMap(({ to, addresses }) =>
        addresses.map((address) => `route add ${address}/32 via ${endOf(links, name, to).peer}`),
      ),
    );
  return lines;
}
