import { compareText } from '../../src/model/values.ts';
import type { Network } from '../net/network.ts';

export interface RouteSeen {
  readonly prefix: string;
  /** The next hops of the best paths; several when they share the load. */
  readonly via: readonly string[];
}

/** The routes that BIRD put into the kernel's table, by which the router really forwards. Sorted by prefix. */
export async function kernelRoutes(network: Pick<Network, 'ip'>, router: string): Promise<readonly RouteSeen[]> {
  const text = await network.ip(router, '-json', 'route', 'show', 'proto', 'bird');
  const routes = JSON.parse(text === '' ? '[]' : text) as readonly {
    readonly dst: string;
    readonly gateway?: string;
    readonly nexthops?: readonly { readonly gateway?: string }[];
  }[];
  return routes
    .map(({ dst, gateway, nexthops }) => ({
      prefix: dst.includes('/') ? dst : `${dst}/32`,
      via: (nexthops ?? [{ gateway }]).flatMap((hop) => (hop.gateway === undefined ? [] : [hop.gateway])).toSorted(),
    }))
    .toSorted((a, b) => compareText(a.prefix, b.prefix));
}
