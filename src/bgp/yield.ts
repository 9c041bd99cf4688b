import type { Route } from './route.ts';

/** How many prepends an agent may ask for. A route with more of them yields: the relay has added its own. */
export const maxPrepend = 7;

/**
 * One prepend is enough on a router that has both announcers as neighbours. The router next to the one that yields sees the other
 * one's path with the ASes of the whole fabric in it: four more when leaf, spine and super-spine have an AS each.
 */
export const yieldPrepend = maxPrepend + 1;

/** The route as it is announced while no agent looks after it: every other path to the same prefix is preferred. */
export function yieldingRoute(route: Route): Route {
  return yields(route) ? route : { ...route, prepend: (route.prepend ?? 0) + yieldPrepend };
}

export function yields({ prepend = 0 }: Route): boolean {
  return prepend >= yieldPrepend;
}

/** The route as it was asked for. */
export function askedRoute(route: Route): Route {
  if (!yields(route)) return route;
  const { prepend = 0, ...rest } = route;
  return prepend === yieldPrepend ? rest : { ...rest, prepend: prepend - yieldPrepend };
}
