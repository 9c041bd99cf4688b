import type { Host } from '../table.ts';
import { mostMeasuredHosts } from './counts.ts';

/**
 * The hosts whose requests are counted one by one. Those that were chosen stay while the table has them, so that no series ends without
 * need. Free places go to hosts of traffic policies, then to namespaces in turns: no tenant takes the places of all others with many
 * hosts. Every blade of a pool that starts with the same table chooses the same.
 */
export function measuredHosts(
  before: readonly string[],
  hosts: readonly Host[],
  policyHosts: ReadonlySet<string>,
): readonly string[] {
  const present = new Map(hosts.map((host) => [host.name, host]));
  const kept = before.filter((name) => present.has(name));
  if (kept.length >= Math.min(mostMeasuredHosts, hosts.length)) return kept;
  const taken = new Set(kept);
  const free = hosts.filter(({ name }) => !taken.has(name));
  const turns = new Map<string, number>();
  for (const name of kept) takeTurn(turns, namespaceOf(present.get(name)));
  const ranked = free.map((host) => ({ name: host.name, turn: rankOf(host, policyHosts, turns) }));
  const chosen = ranked.toSorted((a, b) => a.turn - b.turn).slice(0, mostMeasuredHosts - kept.length);
  return [...kept, ...chosen.map(({ name }) => name)].toSorted();
}

/** Hosts of policies come first, those of a namespace one after the other. */
function rankOf(host: Host, policyHosts: ReadonlySet<string>, turns: Map<string, number>): number {
  return policyHosts.has(host.name) ? -1 : takeTurn(turns, namespaceOf(host));
}

function takeTurn(turns: Map<string, number>, namespace: string): number {
  const turn = turns.get(namespace) ?? 0;
  turns.set(namespace, turn + 1);
  return turn;
}

/** The namespace of the backend that the first path of the host has. */
function namespaceOf(host: Host | undefined): string {
  const key = host?.paths[0]?.backend ?? host?.defaultBackend ?? '';
  return key.slice(0, key.indexOf('/'));
}
