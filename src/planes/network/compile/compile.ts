import type { Route } from '../../../bgp/route.ts';
import type { ClusterState } from '../../../kube/source.ts';
import { comparePrefixes, contains, hostPrefix, type Prefix } from '../../../model/address.ts';
import type { Site } from '../../../model/spec/kinds.ts';
import type { PodsFrom } from '../needs.ts';
import type { NetworkPlan, NetworkRefusal } from '../plan.ts';
import { compileBlocks } from './blocks.ts';
import { compileHosts } from './hosts.ts';
import { compilePodCidrs } from './podcidrs.ts';
import { serverOf } from './server.ts';
import type { WantedPrefixes } from './wanted.ts';

export interface NetworkInput {
  readonly state: ClusterState;
  /** The sites of the cluster; the node is in the one that holds its address. */
  readonly sites: readonly Site[];
  /** The node's name, as Calico and Kubernetes have it. */
  readonly node: string;
  /** Where the pods' prefixes come from; never guessed, because clusters with Calico often have podCIDRs that mean nothing. */
  readonly podsFrom: PodsFrom;
  /** A Drain of this worker is in force. */
  readonly drained: boolean;
  /** The Node was seen since this agent started: only then its absence is a deletion. */
  readonly nodeSeen: boolean;
}

/**
 * Computes from the state of a cluster what one node announces: the whole set, sorted, with a reason for every refusal.
 */
export function compileNetwork(input: NetworkInput): NetworkPlan {
  const { state, node } = input;
  if (state.objects.Node.size === 0 && !seesOthers(state, node))
    return { action: 'hold', reason: 'NodesMissing', refusals: [] };
  const object = state.objects.Node.get(node);
  if (object === undefined && !input.nodeSeen) return { action: 'hold', reason: 'NodeUnknown', refusals: [] };
  if (object === undefined)
    return { action: 'announce', routes: [], blackholes: [], refusals: [], withdrawn: 'NodeDeleted' };
  const server = serverOf(object, input.sites);
  if (server.site === undefined) return { action: 'hold', reason: 'NodeAddressMissing', refusals: server.refusals };
  const servers = server.addresses.map((address): Route => {
    const because = `address of server ${node}`;
    return { prefix: hostPrefix(address), nextHop: address, class: 'server', because };
  });
  const refusals = [...server.refusals];
  if (input.drained)
    return { action: 'announce', routes: sorted(servers), blackholes: [], refusals, withdrawn: 'NodeDrained' };
  if (input.podsFrom === 'calico' && state.objects.IPPool.size === 0)
    return { action: 'hold', reason: 'PoolsMissing', refusals };
  const pods = compilePods(input);
  refusals.push(...pods.refusals);
  const routes = [...servers];
  const blackholes: Prefix[] = [];
  for (const { prefix, because } of pods.wanted) {
    const nextHop = server.addresses.find(({ family }) => family === prefix.family);
    const refusal = whyNot(prefix, server.site, nextHop !== undefined);
    if (refusal !== undefined || nextHop === undefined) {
      if (refusal !== undefined) refusals.push(refusal);
      continue;
    }
    routes.push({ prefix, nextHop, class: 'pods', because });
    if (prefix.length < (prefix.family === 4 ? 32 : 128)) blackholes.push(prefix);
  }
  return { action: 'announce', routes: sorted(routes), blackholes: blackholes.toSorted(comparePrefixes), refusals };
}

/**
 * Whether the state has blocks of other nodes. An agent on a kube-apiserver follows no Node but its own: when that is
 * gone, the blocks of others show that the cluster is visible. Holding would then announce blocks that Calico gives to
 * other workers.
 */
function seesOthers(state: ClusterState, node: string): boolean {
  for (const { spec } of state.objects.BlockAffinity.values())
    if (spec?.node !== undefined && spec.node !== node) return true;
  return false;
}

function compilePods(input: NetworkInput): WantedPrefixes {
  if (input.podsFrom === 'podCIDRs') return compilePodCidrs(input.state, input.node);
  const blocks = compileBlocks(input.state, input.node);
  const hosts = compileHosts(input.state, input.node, new Set(blocks.wanted.map(({ prefix }) => prefix.text)));
  return { wanted: [...blocks.wanted, ...hosts.wanted], refusals: [...blocks.refusals, ...hosts.refusals] };
}

function whyNot(prefix: Prefix, site: Site, hasNextHop: boolean): NetworkRefusal | undefined {
  const subject = prefix.text;
  if (!site.spec.prefixes.pods.some((outer) => contains(outer, prefix)))
    return {
      subject,
      reason: 'PrefixOutsideSite',
      message: `not inside the pod prefixes of site ${site.metadata.name}`,
    };
  if (!hasNextHop)
    return { subject, reason: 'NoNextHop', message: `the server has no IPv${prefix.family} address in its site` };
  return undefined;
}

function sorted(routes: readonly Route[]): readonly Route[] {
  return routes.toSorted((a, b) => comparePrefixes(a.prefix, b.prefix));
}
