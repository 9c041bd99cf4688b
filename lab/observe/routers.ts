import { askBird } from '../daemons/bird.ts';
import type { Lab } from '../lab.ts';
import type { Router } from '../world/routers.ts';

export interface Session {
  readonly neighbor: string;
  readonly established: boolean;
}

export interface RouteSeen {
  readonly prefix: string;
  /** Next hops of the best paths; several when they share the load. */
  readonly via: readonly string[];
}

export interface RouterView {
  readonly name: string;
  /** False when its BIRD does not answer. */
  readonly answers: boolean;
  readonly sessions: readonly Session[];
}

/** Sessions of every router, asked of BIRD itself. */
export function routerViews(lab: Lab): Promise<readonly RouterView[]> {
  return Promise.all(lab.routers.map((router) => routerView(lab, router)));
}

async function routerView(lab: Lab, router: Router): Promise<RouterView> {
  try {
    const lines = await askBird(lab.birdSocket(router.name), 'show protocols');
    const sessions = router.neighbors.map(({ protocol, name }) => ({
      neighbor: name,
      established: lines.some((line) => line.startsWith(`${protocol} `) && line.includes('Established')),
    }));
    return { name: router.name, answers: true, sessions };
  } catch {
    const sessions = router.neighbors.map(({ name }) => ({ neighbor: name, established: false }));
    return { name: router.name, answers: false, sessions };
  }
}

/** The kernel's routes that BIRD put there: what the router really forwards by. Sorted by prefix. */
export async function kernelRoutes(lab: Lab, router: string): Promise<readonly RouteSeen[]> {
  const text = await lab.network.ip(router, '-json', 'route', 'show', 'proto', 'bird');
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
    .toSorted((a, b) => (a.prefix < b.prefix ? -1 : 1));
}
