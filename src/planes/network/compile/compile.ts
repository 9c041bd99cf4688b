import type { Route } from '../../../bgp/route.ts';
import type { ClusterState } from '../../../kube/source.ts';
import { comparePrefixes, hostPrefix, type Prefix } from '../../../model/address.ts';
import type { WorkerDrain } from '../../../model/platform/drains.ts';
import type { Site } from '../../../model/spec/kinds.ts';
import type { PodsFrom } from '../needs.ts';
import { type Brake, type NetworkPlan, type NetworkRefusal, nothingAnnounced } from '../plan.ts';
import type { NetworkReason } from '../reasons.ts';
import { Allowed } from './allowed.ts';
import { compileBlocks } from './blocks.ts';
import { drainStep } from './drained.ts';
import { without } from './holes.ts';
import { compileHosts } from './hosts.ts';
import { type KnownBlocks, knownBlocks } from './known.ts';
import { compilePodCidrs, podCidrsOf } from './podcidrs.ts';
import { Pools } from './pools.ts';
import { doubtsOf, type Lingering, lingeringOf, type Machine, nextHopOf, type Server, serverOf } from './server.ts';
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
  /** Whether a Drain of this worker is in force. */
  readonly drained: WorkerDrain;
  readonly machine: Machine;
  /** The Node of this machine was seen since this agent started: only then its absence is a deletion. */
  readonly nodeSeen: boolean;
  /** A block of any node was seen since this agent started: only then the absence of all is an edit. */
  readonly blocksSeen: boolean;
  /** The prefixes, as text, that this node has announced until now. */
  readonly kept: ReadonlySet<string>;
  /** The same of the server's own addresses. */
  readonly keptServers: ReadonlySet<string>;
  /** Our blackholes in the kernel: a block with one of them in it was announced before. */
  readonly installed: readonly Prefix[];
  /** Blocks, as text, whose export the pool that held them last forbade, as far as this agent saw it. */
  readonly banned: ReadonlySet<string>;
  /** The causes of edits that were braked for long enough. */
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
  const claimed = serverOf(object, input.sites);
  if (claimed.site === undefined) return { action: 'hold', reason: 'NodeAddressMissing', refusals: claimed.refusals };
  const { machine, keptServers, brakesOver } = input;
  const lingering = lingeringOf(claimed, { here: machine.addresses, kept: keptServers, brakesOver });
  const server = withLingering(claimed, lingering);
  const doubts = doubtsOf(server, machine);
  const here = server.addresses.filter(({ text }) => machine.addresses.has(text));
  // A Drain is obeyed whatever else is doubted, but only by the server that it names.
  const [doubt] = doubts;
  const drain = input.drained === 'no' ? undefined : drainStep(input);
  if (doubt !== undefined && (drain?.withdraw !== true || here.length === 0))
    return { action: 'hold', reason: doubt.reason, refusals: [...server.refusals, ...doubts] };
  const servers = here.map((address): Route => {
    const because = `address of server ${node}`;
    return { prefix: hostPrefix(address), nextHop: address, class: 'server', because };
  });
  const { notices, brakes } = lingering;
  const own: Announcing = {
    ...nothingAnnounced,
    routes: sorted(servers),
    refusals: [...server.refusals, ...doubts],
    notices,
    brakes,
    beyond: lingering.addresses.map(hostPrefix),
  };
  if (drain?.withdraw === true) return { ...own, withdrawn: 'NodeDrained' };
  const waiting: Announcing = drain === undefined ? own : { ...own, notices: [...notices, drain.notice] };
  const unseen = unseenOfCalico(input);
  if (unseen !== undefined) return { action: 'hold', reason: unseen, refusals: own.refusals };
  return withPods(input, { ...server, site: claimed.site }, waiting);
}

type Announcing = Extract<NetworkPlan, { action: 'announce' }>;

/** A server whose Site has the lingering addresses still. */
function withLingering(server: Server, { addresses }: Lingering): Server {
  const back = new Set(addresses.map(({ text }) => text));
  const refusals = server.refusals.filter(
    ({ subject, reason }) => reason !== 'PrefixOutsideSite' || !back.has(subject),
  );
  return { ...server, addresses: [...server.addresses, ...addresses], refusals };
}

/** The plan of a node whose own routes are known: these, and the pods' as far as the site allows them. */
function withPods(input: NetworkInput, server: Server & { readonly site: Site }, own: Announcing): NetworkPlan {
  const pods = compilePods(input);
  const allowed = new Allowed({ ...input, site: server.site, fleet: pods.fleet });
  const refusals = [...own.refusals, ...pods.refusals];
  const notices = [...own.notices, ...pods.notices];
  const routes = [...own.routes];
  const covers = new Map<string, readonly Prefix[]>();
  for (const { prefix, because, holes = [] } of pods.wanted) {
    const permission = allowed.verdict(prefix);
    const nextHop = nextHopOf(server.addresses, input.machine, prefix.family);
    if (!permission.announce || nextHop === undefined) {
      refusals.push(permission.announce ? noNextHop(prefix) : permission.refusal);
      continue;
    }
    if (permission.notice !== undefined) notices.push(permission.notice);
    routes.push({ prefix, nextHop, class: 'pods', because });
    covers.set(prefix.text, without(prefix, holes));
  }
  const { banned, disproved } = pods;
  const brakes = [...own.brakes, ...pods.brakes, ...allowed.brakes];
  const beyond = [...own.beyond, ...allowed.beyond];
  return { action: 'announce', routes: sorted(routes), covers, refusals, notices, beyond, brakes, banned, disproved };
}

function noNextHop({ text, family }: Prefix): NetworkRefusal {
  return { subject: text, reason: 'NoNextHop', message: `the server has no IPv${family} address in its site` };
}

/** What of Calico should be seen and is not, which shows that the cluster is not fully visible; undefined when nothing is. */
function unseenOfCalico({ state, podsFrom, blocksSeen, kept, installed }: NetworkInput): NetworkReason | undefined {
  if (podsFrom !== 'calico') return undefined;
  // With blocks to be seen, each is judged like one whose pool was deleted: what is announced or in use stays.
  if (state.objects.IPPool.size + state.objects.IPAMBlock.size === 0) return 'PoolsMissing';
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
  readonly banned: ReadonlySet<string>;
  readonly disproved: ReadonlySet<string>;
  /** What the workers of the cluster announce, as far as their Sites let them. */
  readonly fleet: () => readonly Prefix[];
}

function compilePods({ state, node, podsFrom, kept, installed, banned, brakesOver }: NetworkInput): Pods {
  if (podsFrom === 'podCIDRs') {
    const fleet = (): readonly Prefix[] => podCidrsOf(state);
    return { ...compilePodCidrs(state, node), brakes: [], banned, disproved: new Set(), fleet };
  }
  const blocks = knownBlocks(state);
  const standing = new Standing({ pools: new Pools(state), blocks, kept, installed, banned, brakesOver });
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
    banned: standing.banned,
    disproved: disprovedOf({ node, kept, blocks, refusals }),
    fleet: () => standing.fleet,
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

function sorted(routes: readonly Route[]): readonly Route[] {
  return routes.toSorted((a, b) => comparePrefixes(a.prefix, b.prefix));
}
