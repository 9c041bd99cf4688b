import type { Decision } from './decision.ts';
import type { DemandView } from './demand.ts';
import type { Problem } from './problem.ts';
import type { PlatformView, SourceView } from './source-status.ts';
import type { WritingView } from './writing-status.ts';

/**
 * The shape of an agent's `/status`, as its readers see it: the lab, people. Reasons are text here, because an
 * agent of another version may have others. Fields may be added but never renamed; when one changes its meaning or is
 * removed, `statusVersion` changes.
 */

export const statusVersion = 1;

/** The part of `/status` that the host adds for every agent. */
export interface HostStatus {
  /** The plane: `edge`, `network`, `steering`. */
  readonly agent: string;
  readonly statusVersion: number;
  /** The version of the agent; an older one does not say it. */
  readonly version?: string;
  /** The Cluster of the platform spec that the agent reads. */
  readonly cluster: string;
  /** When the agent started, in milliseconds since the epoch. */
  readonly startedAtMs: number;
  readonly platform: PlatformView;
  /** The credentials for the kube-apiserver; absent when there is none, or they do not say when they end. */
  readonly credentials?: CredentialView;
  /** Who may ask the agent, and by which certificate others know it; absent from older agents. */
  readonly endpoint?: EndpointView;
  /** The Freeze that the agent obeys; absent while none is in force. */
  readonly frozen?: { readonly reason: string; readonly by: string; readonly since: string; readonly until?: string };
  /** What the agent doubts. Absent from older agents. */
  readonly doubts?: readonly DoubtView[];
  /** The last acceptances that it obeyed. Absent from older agents. */
  readonly accepted?: readonly AcceptedView[];
}

/** The answer of an agent to the question what it decided, a document of its own, bounded in number. */
export interface AgentHistory {
  /** The oldest first. */
  readonly decisions: readonly Decision[];
  /** How many lines of the journal could not be read. */
  readonly damaged: number;
  /** Why what is decided now is not written to disk. */
  readonly problem?: string;
}

/** What a part of an agent doubts, and the acceptances that it obeyed. */
export interface DoubtPart {
  readonly doubts: readonly DoubtView[];
  readonly accepted: readonly AcceptedView[];
}

/** A change that the agent has seen and does not make, or not yet, because it looks like a mistake. A person may accept it. */
export interface DoubtView {
  /** `SourceImplausible`, `SourceOfOtherCluster`, `PoolEditWaits`, `SiteEditWaits`, `ExportBanWaits`. */
  readonly reason: string;
  /** What is doubted, and what stays in force because of that. */
  readonly message: string;
  /** The names of what is doubted: twenty at most. */
  readonly objects: readonly string[];
  /** How many there are. */
  readonly count: number;
  /** In milliseconds since the epoch. */
  readonly sinceMs: number;
  /** When the change takes effect by itself; absent where only a person, or new evidence, ends the doubt. */
  readonly untilMs?: number;
  /**
   * How long the change waits after `sinceMs` before it takes effect by itself, also where a Freeze holds it up. Absent where `untilMs`
   * never comes, and from older agents.
   */
  readonly waitsMs?: number;
  /** What takes an edit back, as an order: `put 192.0.2.10 back into EdgePool paris-edge`. Absent where nothing was edited. */
  readonly undo?: string;
  /**
   * What a person repeats to accept exactly this: a hash, the identity of a cluster, or a VIP. Absent while a new one is made,
   * which takes seconds, and where nothing can be accepted.
   */
  readonly fingerprint?: string;
  /** Fingerprints that were shown before, when something else was in doubt. */
  readonly former?: readonly string[];
  /** The file on the agent's server into which the fingerprint is written. */
  readonly acceptFile?: string;
}

/** An acceptance that was obeyed. */
export interface AcceptedView {
  readonly fingerprint: string;
  readonly atMs: number;
  /** Who accepted, where that was said. */
  readonly by?: string;
}

export interface EndpointView {
  /** Who may ask. `none`: networks alone decide; `required`: who has a certificate; `grace`: who has none as well. */
  readonly certificates: 'none' | 'required' | 'grace';
  /** The certificate of the agent. */
  readonly certificate?: CredentialView;
  /** Why the certificate files as they are now are not in use. */
  readonly problem?: { readonly reason: string; readonly message: string };
}

/** When a credential, such as that for the kube-apiserver, ends, in milliseconds since the epoch, and whether that is soon. */
export interface CredentialView {
  readonly kind: 'certificate' | 'token';
  readonly subject?: string;
  readonly endsAtMs: number;
  /** 30, 7 or 1. */
  readonly endsWithinDays?: number;
  readonly reason?: string;
}

/** The part of `/status` that every agent has, whatever its plane. */
export interface AgentStatus extends HostStatus {
  readonly source: SourceView;
}

/** The part of `/status` that the plane adds for its agent. */
export type PlanePart<Status extends Partial<HostStatus>> = Omit<Status, keyof HostStatus>;

/** A BGP session of this server's ExaBGP. */
export interface NeighborView {
  readonly address: string;
  readonly asn: number;
  readonly up: boolean;
  /** Since when the session is up, or down; in milliseconds since the epoch. */
  readonly changedAtMs?: number;
  /** Why the session is down. */
  readonly reason?: string;
}

/**
 * The last time that the routes of pods and servers yielded to other servers that announce the same, because the relay had heard no
 * agent, or the agent asked for it; in milliseconds since the epoch.
 */
export interface YieldView {
  readonly sinceMs: number;
  /** True when the agent asked for it, because it could not read its cluster. */
  readonly asked?: true;
  /** Absent while it lasts. */
  readonly untilMs?: number;
}

/** A route that is not announced, or not withdrawn, and why. */
export interface RouteRefusalView {
  readonly prefix: string;
  readonly reason: string;
  readonly message: string;
}

/** The status of a worker's agent. */
export interface NetworkStatus extends AgentStatus {
  readonly node: string;
  /** `servingSnapshot` is true while the cluster was not read since this agent started. */
  readonly source: SourceView & { readonly servingSnapshot: boolean };
  /** `announce`: the routes in `wanted` are to be announced; `hold`: too little is known, so every route stays as it is. */
  readonly action: 'announce' | 'hold';
  /** Why every route is held, or withdrawn on purpose. */
  readonly reason?: string;
  readonly wanted: readonly RouteView[];
  /** The routes that ExaBGP holds. */
  readonly announced: readonly RouteView[];
  readonly refusals: readonly { readonly subject: string; readonly reason: string; readonly message: string }[];
  /** What is announced all the same although something is wrong about it. */
  readonly notices?: readonly NetworkNoticeView[];
  readonly blackholes: { readonly wanted: readonly string[]; readonly installed: readonly string[] };
  /** Our `ip rule`s, which keep packets that came in by an uplink from leaving through the holes of a block. */
  readonly uplinkRules?: readonly string[];
  readonly relay: string;
  readonly neighbors: readonly NeighborView[];
  readonly yielded?: YieldView;
  /** Of a worker that may write the status of the spec in its API; absent of every other. */
  readonly writing?: WritingView;
}

/** What is announced although something is wrong; `count` is the number of pods for which a Drain waits. */
export interface NetworkNoticeView {
  readonly subject: string;
  readonly reason: string;
  readonly message: string;
  readonly count?: number;
}

export interface RouteView {
  readonly prefix: string;
  readonly nextHop: string;
  readonly class: string;
  readonly because: string;
}

/** The status of a blade's agent. */
export interface EdgeStatus extends AgentStatus, DemandView {
  readonly blade: string;
  readonly pool: string;
  /** `servingSnapshot` is true while the cluster was not read since this agent started. */
  readonly source: SourceView & { readonly servingSnapshot: boolean };
  /** The last generation that nginx acknowledged. */
  readonly generation: number;
  /** The state of nginx; absent while nginx cannot be reached. */
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
    readonly yielded?: YieldView;
  };
  /** The other blades of the pool that answer. */
  readonly peers: readonly { readonly blade: string; readonly vips: Readonly<Record<string, PeerVipView>> }[];
  /** Blades of the pool whose certificates are not believed; absent from older agents. */
  readonly peersNotBelieved?: readonly PeerRefusalView[];
  /** What stays in force although the spec says otherwise, and until when. */
  readonly notices?: readonly EdgeNotice[];
  readonly draining: boolean;
  readonly drain?: { readonly name: string; readonly reason: string; readonly expires: string };
  readonly policies: readonly PolicyView[];
  /** What the cluster has of the hosts of these policies; absent before the first table, and from older agents. */
  readonly policyHosts?: readonly PolicyHostsView[];
  /** Backends of the policies to which no try connects, although some were made: a hundred at most. Absent from older agents. */
  readonly unreachableBackends?: readonly string[];
  readonly conditions: { readonly accepted: number; readonly partial: number; readonly refused: number };
  /** Which blade writes status and events to the cluster, and what waits to be written; absent when none does. */
  readonly publishing?: PublishingView;
  /** The conditions that are not `accepted`, by name: a hundred, which namespaces share, so that none hides those of another. */
  readonly refused: readonly ConditionView[];
}

/** What a cluster has of the hosts of one policy, as its table says. */
export interface PolicyHostsView {
  readonly policy: string;
  /** What is lacking, a hundred at most. */
  readonly lacking: readonly HostLack[];
  /** How much is lacking in all. */
  readonly count: number;
  /** The hosts that are served without a certificate from a Secret, which is a lack only where others have one. */
  readonly withoutCertificate: readonly string[];
}

/** What is missing for a host. */
export interface HostLack {
  readonly host: string;
  readonly reason: string;
  /** A clause: `no Ingress has it`. */
  readonly message: string;
}

/** A blade of the pool that is not believed, or would not be if certificates were required, and why. */
export interface PeerRefusalView {
  readonly blade: string;
  readonly reason: string;
  readonly message: string;
}

/** A VIP that stays in force, or only its address on this server, although the spec has it no longer. */
export interface EdgeNotice {
  readonly subject: string;
  readonly reason: string;
  readonly message: string;
  /** When it ends, in milliseconds since the epoch; absent when it does not end by itself. */
  readonly untilMs?: number;
}

/**
 * The answer of a blade to the question what its table does with a request for a host and a path. It stays small, whatever tenants do.
 */
export interface RouteAnswer {
  readonly blade: string;
  /** The question as nginx would see it. */
  readonly host: string;
  readonly path: string;
  /** Why no pod is asked: `NoTable`, `HostUnknown`, `PathUnknown`, `NoEndpoints`, or why the route answers 503; absent when one is. */
  readonly refused?: string;
  /** The entry of the table; `host` is empty where it takes any host, `path` is absent for the default backend. */
  readonly rule?: { readonly host: string; readonly match?: string; readonly path?: string };
  /** The Ingress that made the rule, `namespace/name`. */
  readonly ingress?: string;
  /** What may keep a client from the pod: a list of addresses, a redirect to elsewhere, a redirect of plain HTTP. */
  readonly limits?: readonly ('addresses' | 'redirect' | 'https')[];
  readonly backend?: BackendAnswer;
  /** The Ingresses that name the host and are not served as they are written. */
  readonly faulty: readonly ConditionView[];
}

/** Where a route leads. */
export interface BackendAnswer {
  /** `namespace/name`. */
  readonly service: string;
  /** The port as the Service numbers it, or as the Ingress names it where there is none. */
  readonly port: string;
  /** False when there is no such Service or it has no such port. */
  readonly exists: boolean;
  /** How many endpoints are ready. When none is, the others are asked all the same. */
  readonly ready: number;
  /** How many endpoints are asked; `endpoints` has some of them. */
  readonly total: number;
  readonly endpoints: readonly { readonly address: string; readonly port: number }[];
  /** What is left out of its EndpointSlices. */
  readonly problems: readonly Problem[];
}

/** The status of one VIP on a blade. */
export interface VipView {
  readonly address: string;
  /** True when this blade should serve the VIP; other blades, which read it in `BladeVips`, rely on that. */
  readonly fit: boolean;
  /** Why the blade is unfit, and `LastAnnouncer` when the VIP is announced nevertheless. */
  readonly reasons: readonly string[];
  /** True when ExaBGP announces the VIP to at least one router; whether the router takes it is not known to a blade. */
  readonly announced: boolean;
}

/** The part of a VIP's status by which another blade decides. */
export type PeerVipView = Pick<VipView, 'fit' | 'announced'>;

/** The answer of a blade to other blades, a document of its own: `/status` grows with what tenants do, this cannot. */
export interface BladeVips {
  readonly blade: string;
  /** Digest of the platform spec that it obeys. */
  readonly specDigest?: string;
  readonly vips: readonly (Pick<VipView, 'address'> & PeerVipView)[];
}

/** The state that nginx reports. */
export interface NginxView {
  /** Changes with every start of nginx; a new value means its tables are empty and everything is pushed again. */
  readonly instance: string;
  /** The last generation it acknowledged, 0 when its tables are empty. */
  readonly generation: number;
  readonly hosts: number;
  readonly backends: number;
  readonly certificates: number;
  /** Bytes free in the shared memory zones, by zone. */
  readonly freeBytes: Readonly<Record<string, number>>;
  readonly draining: boolean;
  /** Open connections of clients, of probes too, without the agent's own to nginx. */
  readonly activeConnections: number;
  /** Certificates that nginx could not present since it started, and why, by id: some of them, if there are many. */
  readonly refusedPairs: Readonly<Record<string, string>>;
  /** How many handshakes got another certificate for that reason. */
  readonly refusedHandshakes: number;
  /** Requests since nginx started that it answered itself instead of a pod, or that it refused to pass on, by reason. */
  readonly answered: Readonly<Record<string, number>>;
  /** Its worker processes, and for how long each has said nothing; one that lives says every second that it does. */
  readonly workers: readonly { readonly pid: number; readonly silentMs: number }[];
  /** Tries to connect to an endpoint since nginx started, by how they ended: `connected`, `refused`, `silent`. */
  readonly tries: Readonly<Record<string, number>>;
  /** Of the backends of traffic policies of which a try has failed: how many tries connected, and how many did not. */
  readonly backendTries: Readonly<Record<string, readonly [number, number]>>;
}

/** Health of one traffic policy at this blade. */
export interface PolicyView {
  readonly policy: string;
  readonly healthy: boolean;
  /** Named reason, e.g. `BackendsServing`, `ClusterDraining`, `BelowThreshold`. */
  readonly reason: string;
  /** The backends that are to blame, `namespace/Service/port`: twenty at most. Absent where none is, and from older agents. */
  readonly against?: readonly string[];
}

/** Which blade writes status and events to the cluster, and what waits to be written. */
export interface PublishingView {
  readonly leading: boolean;
  readonly holder?: string;
  readonly transitions?: number;
  /** Why this blade is no candidate for writing. */
  readonly reason?: string;
  readonly error?: string;
  readonly addresses: readonly string[];
  readonly waiting: number;
  readonly eventsWaiting: number;
  /** Objects whose status another manager wrote and keeps; `contested` are those of them that it took back three times. */
  readonly ownedByOther: readonly string[];
  readonly contested: readonly string[];
  /** The EdgePool object in the cluster: `absent` is no fault. */
  readonly poolObject: 'unknown' | 'absent' | 'present';
}

/** What became of an object: `partial` means that a part of it is served. */
export interface ConditionView {
  /** `Kind/namespace/name`, or `Kind/name`. */
  readonly object: string;
  readonly state: 'accepted' | 'partial' | 'refused';
  readonly problems: readonly Problem[];
}
