import type { Route } from '../../../bgp/route.ts';
import type { ClusterState } from '../../../kube/source.ts';
import { comparePrefixes, contains, hostPrefix, type Prefix } from '../../../model/address.ts';
import type { Site } from '../../../model/spec/kinds.ts';
import type { PodsFrom } from '../needs.ts';
import { type Brake, type NetworkPlan, type NetworkRefusal, nothingAnnounced } from '../plan.ts';
import type { NetworkReason } from '../reasons.ts';
import { compileBlocks } from './blocks.ts';
import { without } from './holes.ts';
import { compileHosts } from './hosts.ts';
import { type KnownBlocks, knownBlocks } from './known.ts';
import { compilePodCidrs } from './podcidrs.ts';
import { Pools } from './pools.ts';
import { doubtsOf, type Machine, nextHopOf, type Server, serverOf } from './server.ts';
import { Standing } from './standing.ts';
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
  readonly machine: Machine;
  /** The Node of this machine was seen since this agent started: only then its absence is a deletion. */
  readonly nodeSeen: boolean;
  /** A block of any node was seen since this agent started: only then the absence of all is an edit. */
  readonly blocksSeen: boolean;
  /** The prefixes, as text, that this node has announced until now. */
  readonly kept: ReadonlySet<string>;
  /** Our blackholes in the kernel: a block with one of them in it was announced before. */
  readonly installed: readonly Prefix[];
  /** Names of pools whose ban of export was braked for long enough. */
  readonly brakesOver: ReadonlySet<string>;
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
  if (object === undefined) return { ...nothingAnnounced, withdrawn: 'NodeDeleted' };
  const server = serverOf(object, input.sites);
  if (server.site === undefined) return { action: 'hold', reason: 'NodeAddressMissing', refusals: server.refusals };
  const doubts = doubtsOf(server, input.machine);
  const here = server.addresses.filter(({ text }) => input.machine.addresses.has(text));
  // A Drain is obeyed whatever else is doubted, but only by the server that it names.
  const [doubt] = doubts;
  if (doubt !== undefined && (!input.drained || here.length === 0))
    return { action: 'hold', reason: doubt.reason, refusals: [...server.refusals, ...doubts] };
  const servers = here.map((address): Route => {
    const because = `address of server ${node}`;
    return { prefix: hostPrefix(address), nextHop: address, class: 'server', because };
  });
  const refusals = [...server.refusals, ...doubts];
  if (input.drained) return { ...nothingAnnounced, routes: sorted(servers), refusals, withdrawn: 'NodeDrained' };
  const unseen = unseenOfCalico(input);
  if (unseen !== undefined) return { action: 'hold', reason: unseen, refusals };
  return withPods(input, { ...server, site: server.site, refusals }, servers);
}

/** The plan of a node whose own routes are known: these, and the pods' as far as the site allows them. */
function withPods(
  input: NetworkInput,
  server: Server & { readonly site: Site },
  servers: readonly Route[],
): NetworkPlan {
  const { wanted, refusals: refused, notices, brakes, disproved } = compilePods(input);
  const refusals = [...server.refusals, ...refused];
  const routes = [...servers];
  const covers = new Map<string, readonly Prefix[]>();
  for (const { prefix, because, holes = [] } of wanted) {
    const nextHop = nextHopOf(server.addresses, input.machine, prefix.family);
    const refusal = whyNot(prefix, server.site, nextHop !== undefined) ?? tooWide(prefix, server.site, input.podsFrom);
    if (refusal !== undefined || nextHop === undefined) {
      if (refusal !== undefined) refusals.push(refusal);
      continue;
    }
    routes.push({ prefix, nextHop, class: 'pods', because });
    if (prefix.length < (prefix.family === 4 ? 32 : 128)) covers.set(prefix.text, without(prefix, holes));
  }
  return { action: 'announce', routes: sorted(routes), covers, refusals, notices, brakes, disproved };
}

/** What of Calico should be seen and is not, which shows that the cluster is not fully visible; undefined when nothing is. */
function unseenOfCalico({ state, podsFrom, blocksSeen, kept, installed }: NetworkInput): NetworkReason | undefined {
  if (podsFrom !== 'calico') return undefined;
  if (state.objects.IPPool.size === 0) return 'PoolsMissing';
  return !blocksSeen && kept.size + installed.length > 0 ? 'BlocksMissing' : undefined;
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

interface Pods extends WantedPrefixes {
  readonly brakes: readonly Brake[];
  readonly disproved: ReadonlySet<string>;
}

function compilePods({ state, node, podsFrom, kept, installed, brakesOver }: NetworkInput): Pods {
  if (podsFrom === 'podCIDRs') return { ...compilePodCidrs(state, node), brakes: [], disproved: new Set() };
  const blocks = knownBlocks(state);
  const standing = new Standing({ pools: new Pools(state), blocks, kept, installed, brakesOver });
  const own = compileBlocks(state, node, blocks, standing);
  const hosts = compileHosts(state, node, blocks, standing, own);
  // Blocks of different sizes can overlap where pools were made anew: an address in two of them is one route.
  const wanted = new Map([...hosts.wanted, ...own.wanted].map((one) => [one.prefix.text, one]));
  const refusals = [...own.refusals, ...hosts.refusals];
  return {
    wanted: [...wanted.values()],
    refusals,
    notices: [...blocks.notices, ...own.notices, ...hosts.notices],
    brakes: standing.brakes,
    disproved: disprovedOf({ node, kept, blocks, refusals }),
  };
}

/**
 * What was announced and must not be any longer by what the cluster says itself, which is no loss of input: blocks that are
 * another node's now, and those whose export a person forbade, after its brake.
 */
function disprovedOf(now: {
  readonly node: string;
  readonly kept: ReadonlySet<string>;
  readonly blocks: KnownBlocks;
  readonly refusals: readonly NetworkRefusal[];
}): ReadonlySet<string> {
  const banned = now.refusals.filter(({ reason }) => reason === 'PoolNotExported').map(({ subject }) => subject);
  const elsewhere = [...now.kept].filter((text) => {
    const spec = now.blocks.byText.get(text)?.object.spec;
    return (
      spec?.deleted !== true && spec?.affinity?.startsWith('host:') === true && spec.affinity !== `host:${now.node}`
    );
  });
  return new Set([...banned, ...elsewhere]);
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

/** A podCIDR is typed by a person or given by a controller; a block of Calico has an object of its own that proves it. */
function tooWide(prefix: Prefix, site: Site, podsFrom: PodsFrom): NetworkRefusal | undefined {
  if (podsFrom !== 'podCIDRs' || !site.spec.prefixes.pods.some(({ text }) => text === prefix.text)) return undefined;
  const message = `it is all of a pod prefix of site ${site.metadata.name}; a worker needs a part of it`;
  return { subject: prefix.text, reason: 'PrefixTooWide', message };
}

function sorted(routes: readonly Route[]): readonly Route[] {
  return routes.toSorted((a, b) => comparePrefixes(a.prefix, b.prefix));
}
