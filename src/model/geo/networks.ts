import { contains, parseLoosePrefix, parsePrefix } from '../address.ts';

/**
 * A client network is a place beside countries and states, and its code is its prefix: `192.0.2.0/24`. In which country its users are
 * is not known.
 */
export function isNetwork(place: string): boolean {
  return place.includes('/');
}

/** Of these networks the one that holds an address or a network, which may be more specific than it. */
export function networkHolding(networks: readonly string[], text: string): string | undefined {
  const inner = parseLoosePrefix(text);
  if (inner === undefined) return undefined;
  return networks.find((network) => {
    const outer = parsePrefix(network);
    return outer !== undefined && contains(outer, inner);
  });
}

/** The longest prefixes that can be told apart everywhere: of IPv4 resolvers send no more (RFC 7871), and of IPv6 Route 53 takes no more. */
export const longestNetwork = { 4: 24, 6: 48 } as const;
