/** Every named refusal and state of this room: log field, metric label and status at once. */
export const networkReasons = {
  AffinityVirtual: 'The BlockAffinity is not of a host (a load balancer pool); such blocks are not ours to announce.',
  AffinityPending: 'The node has not got the block yet.',
  AffinityReleasing: 'The node is giving the block back; addresses in use there become host routes.',
  AffinityDeleted: 'The BlockAffinity is marked as deleted.',
  AffinityStateUnknown: 'The BlockAffinity is in a state we do not know; only confirmed ones are announced.',
  BadPrefix: 'The text is not a prefix.',
  BadAddress: 'The text is not an address.',
  BlockMissing: 'There is no IPAMBlock for the BlockAffinity, so nothing says that the block is really there.',
  BlockDeleted: 'The IPAMBlock is marked as deleted.',
  BlockReleased: 'The IPAMBlock belongs to no node any more.',
  BlockOfOtherNode: 'The IPAMBlock says that another node has the block; the IPAMBlock is right.',
  BlockDuplicated: 'Several IPAMBlocks have the same cidr; every node takes the same one of them.',
  BlockSizeMismatch:
    'The block has not the size that its pool gives out now; it is announced all the same, unless no block of Calico can have its size.',
  PoolMissing:
    'No IPPool holds the block. What was announced of it, or is in use by pods of this worker, is announced, unless the pool was seen to forbid its export; the rest is not.',
  PoolNotExported: 'The pool forbids BGP export.',
  ExportBanWaits:
    'The pool forbids BGP export, which takes more than half of what the whole cluster announces: the routes stay for ten minutes more.',
  PoolNotForWorkloads:
    'The pool is for load balancer addresses only. What was announced of a block, or is in use by pods of this worker, is announced; the rest is not.',
  SiteEditWaits:
    'The Site has the prefix no longer, although it was announced; when that takes more than half of what the workers of the site announce, the routes stay for ten minutes more.',
  PrefixOutsideSite: "The prefix is not inside the Site's prefixes of its class.",
  NoNextHop: 'The server has no address of this family to be the next hop.',
  BlackholeMissing: 'The kernel did not take the blackhole of the block, and a block is announced only after it.',
  BlackholeTaken:
    'A route of another program has the prefix and the metric of our blackhole, so the kernel takes ours no more; the block is not announced anew until that route is removed.',
  UplinkRuleMissing:
    'The kernel did not take our ip rules for a block of which addresses are lent, so the whole block is blackholed: pods of this worker do not reach those addresses.',
  RouteShadows: 'A route of another program takes packets to a block of this worker before its pods or our blackhole.',
  RuleShadows:
    'An ip rule of another program sends packets to a block of this worker to a table that has another route for them.',
  PrefixTooWide:
    "The prefix is a whole pod prefix of the Site, which other workers share; a worker's must be a part of it.",
  PrefixOverlaps: 'Another Node has a podCIDR that overlaps this one, so nothing says whose pods are there.',
  NotSynced: 'The cluster was not read completely yet; nothing is announced, withdrawn or ended.',
  ServingSnapshot:
    'The cluster was not read since this agent started: what the last-good state on disk says is announced, and nothing is withdrawn.',
  YieldsWhileStale:
    'The cluster was not read for five minutes: the routes stay, with eight more AS-path prepends until it is read, so that the routers prefer another worker that has a block by now.',
  RoutesRunOut:
    'Nothing is known of the cluster and ExaBGP, which has started anew, announces no pods: the routers drop what the former one announced when their timer for stale routes ends.',
  BlocksMissing:
    'This server announces blocks, and since the agent started no block of any node was seen: the cluster is not fully visible, or was emptied; everything is held.',
  NodesMissing:
    'No Node and no block of another node can be seen: the cluster is not fully visible, which does not prove that the node is gone; everything is held.',
  NodeUnknown:
    'No Node of this name and machine has been seen since the agent started (is --node right?); everything is held.',
  PoolsMissing:
    'No IPPool and no block at all can be seen: the cluster is not fully visible, which does not prove that all is gone; everything is held.',
  NodeAddressMissing: "The Node has no InternalIP inside the Site's server prefixes; everything is held.",
  AddressNotHere:
    "The Node has an InternalIP that no link of this machine has, so it may be another machine's Node (is --node right?); everything is held.",
  NextHopNotRendered:
    "None of the Node's InternalIPs of the family is the address that ExaBGP was configured with; everything is held until it is rendered anew, or the Node has its old address again.",
  NodeDeleted: 'The Node was deleted: everything is withdrawn.',
  DrainWaits:
    'A Drain of this worker is in force, and pods on it are Ready, or nothing says whether they are: their routes stay until they have gone. Move them away with kubectl drain, or force the Drain.',
  NodeDrained: 'A Drain of this worker is in force: pod routes are withdrawn, the address of the server stays.',
  PlatformInvalid: 'The newest platform spec does not load; the last good one stays in force.',
  KernelUnreadable: 'The routing table of the kernel cannot be read or changed.',
} as const;

export type NetworkReason = keyof typeof networkReasons;
