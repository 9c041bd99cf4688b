import type { Host, Path } from '../table.ts';
import { wildcardOf } from './names.ts';

/** The host of the table that takes a name: exactly, then the wildcard of its parent (one label), then the one for any host. */
export function hostFor(hosts: readonly Host[], name: string): Host | undefined {
  const find = (wanted: string | undefined): Host | undefined => hosts.find((host) => host.name === wanted);
  return find(name) ?? find(wildcardOf(name)) ?? find('');
}

/** The path of a host that answers for a normalised, decoded path: the rule of `lua/routes.lua`, the default backend aside. */
export function pathFor(host: Host | undefined, uri: string): Path | undefined {
  let [best, length]: [Path | undefined, number] = [undefined, -1];
  for (const path of host?.paths ?? []) {
    const matched = lengthOf(path, uri);
    const narrower = best !== undefined && narrowness.indexOf(path.match) < narrowness.indexOf(best.match);
    if (matched > length || (matched === length && narrower)) [best, length] = [path, matched];
  }
  return best;
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
