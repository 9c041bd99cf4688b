import { type Host, type Path, type RouteSettings } from '../../src/planes/edge/table.ts';

/** The rule of `lua/routes.lua` in a few lines: the settings of the route that answers for a path, or undefined for 404. */
export function routeOf(host: Host | undefined, uri: string): { readonly settings?: RouteSettings } | undefined {
  let [best, length]: [Path | undefined, number] = [undefined, -1];
  for (const path of host?.paths ?? []) {
    const matched = lengthOf(path, uri);
    const narrower = best !== undefined && narrowness.indexOf(path.match) < narrowness.indexOf(best.match);
    if (matched > length || (matched === length && narrower)) [best, length] = [path, matched];
  }
  if (best === undefined) return undefined;
  const settings = best.settings === undefined ? undefined : host?.settings?.[best.settings];
  return settings === undefined ? {} : { settings };
}

/** Which of two matches of the same length answers: the earlier one here. */
const narrowness: readonly Path['match'][] = ['exact', 'prefix', 'text', 'anyCasePrefix', 'anyCaseText'];

/** How long the match is; -1 for none. */
function lengthOf({ match, path }: Path, uri: string): number {
  if (match === 'exact') return path === uri ? Infinity : -1;
  const subject = match.startsWith('anyCase') ? uri.toLowerCase() : uri;
  if (match.endsWith('Text') || match === 'text') return subject.startsWith(path) ? path.length : -1;
  const prefix = path.endsWith('/') ? path.slice(0, -1) : path;
  return subject === prefix || subject.startsWith(`${prefix}/`) ? prefix.length : -1;
}
