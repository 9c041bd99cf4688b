import { comparePrefixes } from '../model/address.ts';
import type { Route } from './route.ts';

export interface RouteChange {
  /** New routes, and routes whose attributes differ. */
  readonly announce: readonly Route[];
  /** Routes that are no longer wanted, as they are announced now. */
  readonly withdraw: readonly Route[];
}

/** Routes by prefix text; of two with the same prefix the last one stays. */
export type RouteSet = ReadonlyMap<string, Route>;

export function routeSet(routes: Iterable<Route>): RouteSet {
  return new Map([...routes].map((route) => [route.prefix.text, route]));
}

/**
 * The changes that lead from `have` to `want`, sorted by prefix. Class and `because` are not compared, since they are never on
 * the wire.
 */
export function diffRoutes(have: RouteSet, want: RouteSet): RouteChange {
  const announce = [...want.values()].filter((route) => {
    const held = have.get(route.prefix.text);
    return held === undefined || attributesKey(held) !== attributesKey(route);
  });
  const withdraw = [...have.values()].filter((route) => !want.has(route.prefix.text));
  return { announce: sortRoutes(announce), withdraw: sortRoutes(withdraw) };
}

export function sortRoutes(routes: readonly Route[]): readonly Route[] {
  return routes.toSorted((a, b) => comparePrefixes(a.prefix, b.prefix));
}

/** A text that is equal for two routes that may share one announcement: those with the same next hop and path attributes. */
export function attributesKey({ nextHop, med, localPreference, communities = [], prepend = 0 }: Route): string {
  const listed = communities.map(([asn, value]) => `${asn}:${value}`).toSorted();
  return `${nextHop.text} ${med ?? ''} ${localPreference ?? ''} ${prepend} ${listed.join(' ')}`;
}
