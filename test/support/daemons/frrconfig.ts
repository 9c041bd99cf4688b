import type { RouterNeighbor, RouterSpec } from '../../../lab/daemons/birdconfig.ts';

/**
 * The whole bgpd.conf of the router that `renderRouter` describes to BIRD, for FRR 8.4. One difference is FRR's own: beyond
 * `maxPrefixes` it ends the session, while BIRD leaves out what is too much. A neighbour with an IPv6 address has an IPv6
 * session.
 */
export function renderBgpd(spec: RouterSpec): string {
  const families = [4, 6] as const;
  const lines = [
    ...spec.neighbors.flatMap(prefixLists),
    `router bgp ${spec.asn}`,
    ` bgp router-id ${spec.routerId}`,
    ' no bgp default ipv4-unicast',
    ' no bgp network import-check',
    ...((spec.ecmp ?? true) ? [' bgp bestpath as-path multipath-relax'] : []),
    ...spec.neighbors.flatMap((neighbor) => session(neighbor)),
    ...families.flatMap((family) => addressFamily(spec, family)),
  ];
  return `${lines.join('\n')}\n`;
}

function session(neighbor: RouterNeighbor): readonly string[] {
  const hold = neighbor.holdSeconds ?? 9;
  const word = ` neighbor ${neighbor.address}`;
  return [
    `${word} remote-as ${neighbor.asn}`,
    `${word} update-source ${neighbor.localAddress}`,
    `${word} timers ${Math.max(1, Math.floor(hold / 3))} ${hold}`,
    `${word} timers connect 1`,
  ];
}

function addressFamily(spec: RouterSpec, family: 4 | 6): readonly string[] {
  const neighbors = spec.neighbors.filter(({ address }) => familyOf(address) === family);
  if (neighbors.length === 0) return [];
  return [
    ` address-family ipv${family} unicast`,
    ...(spec.originate ?? []).filter((prefix) => familyOf(prefix) === family).map((prefix) => `  network ${prefix}`),
    ...((spec.ecmp ?? true) ? [] : ['  maximum-paths 1']),
    ...neighbors.flatMap(({ name, address, maxPrefixes }) => [
      `  neighbor ${address} activate`,
      `  neighbor ${address} prefix-list ${name}-in in`,
      `  neighbor ${address} prefix-list ${name}-out out`,
      ...(maxPrefixes === undefined ? [] : [`  neighbor ${address} maximum-prefix ${maxPrefixes}`]),
    ]),
    ' exit-address-family',
  ];
}

function prefixLists(neighbor: RouterNeighbor): readonly string[] {
  const family = familyOf(neighbor.address);
  const list = `${family === 4 ? 'ip' : 'ipv6'} prefix-list ${neighbor.name}`;
  const longest = family === 4 ? 32 : 128;
  const all = `permit ${family === 4 ? '0.0.0.0' : '::'}/0 le ${longest}`;
  const accept =
    neighbor.accept === 'all'
      ? [all]
      : neighbor.accept
          .filter(({ prefix }) => familyOf(prefix) === family)
          .map((entry) => `permit ${entry.prefix}${lengths(entry.prefix, entry.longest ?? longest)}`);
  return [
    ...accept.map((text, index) => `${list}-in seq ${5 * (index + 1)} ${text}`),
    `${list}-in seq 10000 deny any`,
    `${list}-out seq 5 ${(neighbor.announce ?? 'all') === 'all' ? all : 'deny any'}`,
  ];
}

/** `le N` may not be the prefix's own length. */
function lengths(prefix: string, longest: number): string {
  return Number(prefix.slice(prefix.indexOf('/') + 1)) === longest ? '' : ` le ${longest}`;
}

function familyOf(text: string): 4 | 6 {
  return text.includes(':') ? 6 : 4;
}
