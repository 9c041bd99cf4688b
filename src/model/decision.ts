/** What an agent or a command decided, once: the history is made of these. `what` is a name of `decisionKinds`. */
export interface Decision {
  /** In milliseconds since the epoch. */
  readonly atMs: number;
  readonly what: string;
  /** `VIP 192.0.2.10`, `route 10.10.1.0/26`, `session 10.1.0.1`, `cluster paris`. */
  readonly subject: string;
  readonly why?: string;
  /** Who asked for it, where somebody did. */
  readonly by?: string;
  /** What was known: which spec, how far the cluster was read. */
  readonly inputs?: string;
  /** Of a change in DNS: the hosts, and the countries that move. */
  readonly hosts?: readonly string[];
  readonly countries?: readonly string[];
}

/** Every name of a decision, and what it means. */
export const decisionKinds = {
  AgentStarted: 'The agent started.',
  AgentStopped: 'The agent ended as it was asked to.',
  VipAnnounced: 'The blade announces the VIP to a router.',
  VipWithdrawn: 'The blade announces the VIP to no router any more.',
  RouteAnnounced: 'The server announces the route of pods.',
  RouteWithdrawn: 'The server announces the route of pods no more.',
  SessionUp: 'A BGP session of the server is up.',
  SessionDown: 'A BGP session of the server is down.',
  SourceLive: 'The agent reads its cluster again.',
  SourceStale: 'The agent cannot trust what it reads of its cluster; what it knew stays in force.',
  DoubtBegan: 'The agent has seen a change that it does not make, because it looks like a mistake.',
  DoubtEnded: 'What was doubted is settled.',
  Accepted: 'A person accepted what was doubted.',
  DrainBegan: 'A Drain of the server is obeyed.',
  DrainEnded: 'No Drain of the server is obeyed any more.',
  TableRefused: 'nginx refused the newest table and serves the one before.',
  TableTaken: 'nginx takes the newest table again.',
  SpecRefused: 'The newest platform spec is not valid; the one before stays in force.',
  SpecTaken: 'The newest platform spec is in force again.',
  FreezeBegan: 'The agent obeys a Freeze.',
  FreezeEnded: 'No Freeze is in force any more.',
  MoreChanged: 'More of the same changed at that moment than is listed.',
  DnsApplied: 'A person, a pipeline or the steering agent wrote a zone.',
  DnsFailed: 'Writing a zone failed on the way.',
  DnsWaits: 'What the steering agent would write in a zone waits, for the reason that is named.',
  DnsWaitEnded: 'Nothing of the zone waits any more.',
  DnsStuck: 'The steering agent cannot plan or write a zone, and tries again.',
  DnsUnstuck: 'The steering agent plans and writes the zone again.',
  DnsEdited: 'Somebody else edited records or health checks of ours.',
  DnsEditEnded: 'What somebody else edited is as it was written again.',
  DnsUnanswered: 'A name server is silent or answers otherwise than what the steering agent applied.',
  DnsAnswered: 'All name servers answer as the steering agent applied.',
  LeadBegan: 'The steering agent leads: of several it is the one that writes.',
  LeadEnded: 'The steering agent leads no more.',
  DrainAsked: 'A person wrote a Drain into the platform spec.',
  UndrainAsked: 'A person removed the Drains of a target.',
  FreezeAsked: 'A person wrote a Freeze into the platform spec.',
  ThawAsked: 'A person removed the Freezes.',
  ProposalApproved: 'A person approved a TrafficOverlay.',
  ProposalRejected: 'A person rejected a TrafficOverlay.',
  FloorSet: 'A person, or a pipeline, changed the least replicas of an autoscaler.',
} as const;

export type DecisionKind = keyof typeof decisionKinds;
