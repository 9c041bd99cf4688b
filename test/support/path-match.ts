import { pathFor } from '../../src/planes/edge/compile/match.ts';
import type { Host, RouteSettings } from '../../src/planes/edge/table.ts';

/** The settings of the route that answers for a path, or undefined for 404. */
export function routeOf(host: Host | undefined, uri: string): { readonly settings?: RouteSettings } | undefined {
  const best = pathFor(host, uri);
  if (best === undefined) return undefined;
  const settings = best.settings === undefined ? undefined : host?.settings?.[best.settings];
  return settings === undefined ? {} : { settings };
}
