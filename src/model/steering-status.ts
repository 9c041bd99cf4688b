import type { HostLack, HostStatus } from './status.ts';

/** The status of a steering agent. It may have a cluster, for its Lease, and reads nothing of it. */
export interface SteeringStatus extends Omit<HostStatus, 'cluster'> {
  readonly cluster?: string;
  /** The machine where it runs; an older agent does not say it. */
  readonly server?: string;
  /** `observe` and `recommend` cannot write; only the latter asks a person to. */
  readonly mode: 'observe' | 'recommend' | 'automatic';
  readonly leadership: LeadershipView;
  /** One for each zone of each provider that the policies name. */
  readonly zones: readonly ZoneView[];
  /** What clusters lack of the hosts of the policies that name them, as seen last; absent before that, and from older agents. */
  readonly parity?: readonly ParityView[];
  /** What this agent applied since it started, the latest first: twenty at most. */
  readonly applied: readonly ZoneApplyView[];
}

export interface LeadershipView {
  /** `lease`: the holder of a Lease writes; `fence`: every agent does, and the generation record of a zone lets one win. */
  readonly by: 'lease' | 'fence';
  readonly leading: boolean;
  readonly holder?: string;
  readonly transitions?: number;
  readonly error?: string;
}

/** A zone as the steering agent knows it. Times are in milliseconds since the epoch. */
export interface ZoneView {
  readonly provider: string;
  readonly zone: string;
  /**
   * `unknown`: not planned yet; `inForce`: as wanted; `planned`: there is something to do, and this agent only looks; `applies`: it is
   * being written; `waits`: see `conditions`; `fails`: see `conditions`, it is tried again; `standby`: another agent leads.
   */
  readonly state: 'unknown' | 'inForce' | 'planned' | 'applies' | 'waits' | 'fails' | 'standby';
  readonly sinceMs: number;
  /** When the zone was read and planned last. */
  readonly plannedAtMs?: number;
  readonly generation?: number;
  /** What is to do; absent when nothing is. */
  readonly plan?: {
    readonly checksum: string;
    readonly records: { readonly delete: number; readonly create: number };
    /**
     * Of the host of which most traffic moves, now or while everything is healthy; now alone, where the plan holds clusters back or leads users back
     * to them.
     */
    readonly movedShare: number;
    readonly hosts: readonly string[];
    readonly countries: readonly string[];
    /** Policies of which records or health checks are to be written, sorted. */
    readonly policies: readonly string[];
  };
  readonly conditions: readonly ZoneConditionView[];
  /** What somebody else edited of ours since the zone was applied; absent while it is as it was written. */
  readonly drift?: {
    readonly sinceMs: number;
    /** How many records and health checks. */
    readonly edits: number;
    /** A clause about what it is, and who benefits. */
    readonly what: string;
    /** The first lines of `tideline steering drift`. */
    readonly lines: readonly string[];
  };
  /** The clusters that the zone holds back; absent where there are none. */
  readonly holds?: readonly HoldView[];
  /** The overlays that have ended and whose users are led back in steps; absent where there are none. */
  readonly returns?: readonly ReturnView[];
  /** What a person should look after of TrafficOverlays, 20 at most; absent when there is nothing. */
  readonly overlays?: readonly { readonly reason: string; readonly message: string }[];
  /** How much it still leads to what Drains take out of service, one for each that DNS concerns; absent until the zone was looked at. */
  readonly drains?: readonly DrainedView[];
  readonly failures?: number;
  readonly nextTryAtMs?: number;
}

/** How much a zone leads to what a Drain takes out of service. Shares are of 1, of users as countries are weighed. */
export interface DrainedView {
  /** The name of the Drain. */
  readonly drain: string;
  /** Of the host, and of the address family, of which most leads there: an average would hide the last one. */
  readonly share: number;
  /** A family is absent where no host has an answer in it. */
  readonly byFamily: { readonly ipv4?: number; readonly ipv6?: number };
  /** For how long resolvers may hold an answer of the zone. */
  readonly ttlSeconds: number;
  /** When the last answer ends that leads there; absent while the zone gives such answers. */
  readonly emptyAtMs?: number;
}

/** A cluster that was down, and to which the users of a policy have not returned yet. */
export interface HoldView {
  readonly policy: string;
  readonly cluster: string;
  readonly sinceMs: number;
  readonly by: string;
  readonly mode: string;
  /** So long it stands at most while the cluster stays healthy; 0 where a person ends it. */
  readonly expectedSeconds: number;
  /** For how long it has been healthy without a break, as far as was seen. */
  readonly healthySeconds: number;
  /** How that ends, as a clause. */
  readonly ends: string;
}

/** An overlay that has ended, and whose users have not returned to the policy yet. */
export interface ReturnView {
  readonly policy: string;
  readonly overlay: string;
  readonly sinceMs: number;
  readonly by: string;
  /** How far they have returned, as a clause. */
  readonly ends: string;
}

/** Why a zone is not as wanted, or a host of it, and what a person does about it. */
export interface ZoneConditionView {
  readonly reason: string;
  readonly message: string;
  readonly fix?: string;
  /** The one host that it is about; absent when the whole zone waits. */
  readonly host?: string;
  readonly sinceMs: number;
}

export interface ZoneApplyView {
  readonly provider: string;
  readonly zone: string;
  readonly atMs: number;
  readonly checksum: string;
  readonly generation: number;
  /** As in the plan, and in the history of the zone. */
  readonly movedShare: number;
  readonly hosts: readonly string[];
  readonly countries: readonly string[];
}

/** What a cluster that a policy names lacks of the policy's hosts. */
export interface ParityView {
  readonly policy: string;
  readonly cluster: string;
  /** A hundred at most. */
  readonly lacks: readonly HostLack[];
  /** How many there are. */
  readonly count: number;
  /** The hosts of which it is not known, by why; of each why some are named. */
  readonly unknown: readonly { readonly why: string; readonly hosts: readonly string[]; readonly count: number }[];
}
