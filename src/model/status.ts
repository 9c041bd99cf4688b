import type { Problem } from './problem.ts';

/**
 * What agents say of themselves in `/status`, as whoever asks reads it: other blades, the lab, people. Reasons are text
 * here, because an agent of another version may have others. Fields are added, never renamed; one that changes its meaning
 * or goes makes a new `statusVersion`.
 */

export const statusVersion = 1;

/** What the host of every agent says for it. */
interface HostStatus {
  /** The plane: `edge`, `network`. */
  readonly agent: string;
  readonly statusVersion: number;
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number;
  readonly platform: PlatformView;
}

/** What every agent says, whatever its plane. */
export interface AgentStatus extends HostStatus {
  readonly source: SourceView;
}

/** What is left for the plane to say of its agent. */
export type PlanePart<Status extends AgentStatus> = Omit<Status, keyof HostStatus>;

/** Which platform spec is in force: `invalid` means the last good one, and `message` says what is wrong with the newest. */
export interface PlatformView {
  readonly phase: 'current' | 'invalid';
  readonly reason?: string;
  readonly message?: string;
}

/** How far the agent's picture of its cluster can be trusted: while `stale` the last good one is in force. */
export interface SourceView {
  readonly phase: 'syncing' | 'live' | 'stale';
  /** Since when it is live, or when it was last current; milliseconds since the epoch. */
  readonly sinceMs?: number;
  readonly reason?: string;
  readonly message?: string;
}

/** A BGP session of this server's ExaBGP. */
export interface NeighborView {
  readonly address: string;
  readonly asn: number;
  readonly up: boolean;
  readonly changedAtMs?: number;
}

/** A route that is not announced, or not withdrawn, and why. */
export interface RouteRefusalView {
  readonly prefix: string;
  readonly reason: string;
  readonly message: string;
}

/** What the agent of a worker says. */
export interface NetworkStatus extends AgentStatus {
  readonly node: string;
  /** `announce`: the routes below are wanted; `hold`: too little is known, all stays. */
  readonly action: 'announce' | 'hold';
  /** Why all is held, or withdrawn on purpose. */
  readonly reason?: string;
  readonly wanted: readonly RouteView[];
  /** What ExaBGP holds. */
  readonly announced: readonly RouteView[];
  readonly refusals: readonly { readonly subject: string; readonly reason: string; readonly message: string }[];
  readonly blackholes: { readonly wanted: readonly string[]; readonly installed: readonly string[] };
  readonly relay: string;
  readonly neighbors: readonly NeighborView[];
}

export interface RouteView {
  readonly prefix: string;
  readonly nextHop: string;
  readonly class: string;
  readonly because: string;
}

/** What the agent of a blade says. Other blades read `blade` and `vips`. */
export interface EdgeStatus extends AgentStatus {
  readonly blade: string;
  readonly pool: string;
  readonly cluster: string;
  /** `servingSnapshot`: the cluster was not read since this agent started. */
  readonly source: SourceView & { readonly servingSnapshot: boolean };
  /** The last generation that nginx acknowledged. */
  readonly generation: number;
  /** Absent while nginx cannot be reached. */
  readonly nginx?: NginxView;
  /** Why the blade as a whole is unfit. */
  readonly fault?: string;
  /** Why nginx refused the newest table; it serves the one before, and the blade stays fit. */
  readonly tableRefused?: string;
  readonly vips: readonly VipView[];
  /** VIPs that are not on this host, and why. */
  readonly vipsMissing: Readonly<Record<string, string>>;
  readonly bgp: {
    readonly relay: string;
    readonly neighbors: readonly NeighborView[];
    readonly refusals: readonly RouteRefusalView[];
  };
  /** The other blades of the pool that answer. */
  readonly peers: readonly { readonly blade: string; readonly vips: Readonly<Record<string, PeerVipView>> }[];
  readonly draining: boolean;
  readonly drain?: { readonly name: string; readonly reason: string; readonly expires: string };
  readonly policies: readonly PolicyView[];
  readonly conditions: { readonly accepted: number; readonly partial: number; readonly refused: number };
  /** Who writes status and events to the cluster, and what waits; absent when nobody does. */
  readonly publishing?: PublishingView;
  /** The conditions that are not `accepted`, the first hundred by name. */
  readonly refused: readonly ConditionView[];
}

/** What a blade says of one VIP. */
export interface VipView {
  readonly address: string;
  /** This blade should serve it: peers count on that. */
  readonly fit: boolean;
  /** Why not, and `LastAnnouncer` when it is announced nevertheless. */
  readonly reasons: readonly string[];
  /** ExaBGP announces it to at least one router. */
  readonly announced: boolean;
}

/** As much of it as another blade decides by. */
export type PeerVipView = Pick<VipView, 'fit' | 'announced'>;

/** What nginx says of itself. */
export interface NginxView {
  /** Changes with every start of nginx. */
  readonly instance: string;
  readonly generation: number;
  readonly hosts: number;
  readonly backends: number;
  readonly certificates: number;
  /** Bytes free in the shared memory zones, by zone. */
  readonly freeBytes: Readonly<Record<string, number>>;
  readonly draining: boolean;
  readonly activeConnections: number;
}

/** Health of one traffic policy here. */
export interface PolicyView {
  readonly policy: string;
  readonly healthy: boolean;
  readonly reason: string;
}

/** Who writes status and events to the cluster, and what waits. */
export interface PublishingView {
  readonly leading: boolean;
  readonly holder?: string;
  readonly transitions?: number;
  /** Why this blade is no candidate. */
  readonly reason?: string;
  readonly error?: string;
  readonly addresses: readonly string[];
  readonly waiting: number;
  readonly eventsWaiting: number;
  readonly ownedByOther: readonly string[];
  /** The EdgePool object in the cluster: `absent` is no fault. */
  readonly poolObject: 'unknown' | 'absent' | 'present';
}

/** What became of an object: `partial` means that some of it serves. */
export interface ConditionView {
  /** `Kind/namespace/name`, or `Kind/name`. */
  readonly object: string;
  readonly state: 'accepted' | 'partial' | 'refused';
  readonly problems: readonly Problem[];
}
