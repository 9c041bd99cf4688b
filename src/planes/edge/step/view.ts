import type { SpeakerStatus } from '../../../bgp/speaker.ts';
import type { SourceStatus } from '../../../kube/source.ts';
import type { EdgePool } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import type { PeerVipView } from '../../../model/status.ts';
import type { Condition } from '../compile/condition.ts';
import type { HealthInput } from '../compile/health.ts';
import type { BackendKey, DataPlaneStatus } from '../table.ts';
import type { Convergence } from './convergence.ts';

/** Everything that is true of a blade in one moment. Times are on the monotonic clock, but for `dateMs`. */
export interface BladeView {
  readonly blade: string;
  readonly nowMs: number;
  /** ms since the epoch; drains expire by this clock. */
  readonly dateMs: number;
  /** When the agent started. */
  readonly startedMs: number;
  /** When a planned stop was asked for; undefined while none was. */
  readonly stoppingSinceMs: number | undefined;
  readonly platform: Platform;
  readonly pool: EdgePool;
  readonly source: SourceStatus;
  /** What the control socket of nginx says; undefined while nginx cannot be reached. */
  readonly nginx: DataPlaneStatus | undefined;
  readonly convergence: Convergence;
  /** The conditions of the last compile. */
  readonly conditions: readonly Condition[];
  /** What the last compile serves; undefined before the first. */
  readonly served: Served | undefined;
  readonly speaker: SpeakerStatus;
  readonly host: HostAddresses;
  readonly probes: ProbeRound;
  /** When the agent's own try to connect to a backend that is dark succeeded last. */
  readonly reached: ReadonlyMap<BackendKey, number>;
  readonly peers: PeersView;
}

export type Served = NonNullable<HealthInput['served']>;

/** The VIPs on the loopback interface of this host. */
export interface HostAddresses {
  /** When VIPs were last added to the interface; `vips` names them. */
  readonly addedMs: number;
  readonly vips: readonly string[];
  /** The VIPs that could not be added, and why. */
  readonly missing: ReadonlyMap<string, string>;
}

/** One round of probes through the whole data path, from this host to its own VIPs. */
export interface ProbeRound {
  /** Grows with every round, 0 before the first; each round is judged once. */
  readonly number: number;
  /** The `instance` of the nginx that answered on a VIP, undefined when none did; only of VIPs that were probed. */
  readonly answers: ReadonlyMap<string, string | undefined>;
  /** The same over TLS; of a pool with many VIPs the last answer of each. */
  readonly tls: ReadonlyMap<string, TlsAnswer>;
}

export interface TlsAnswer {
  /** The `instance` of the nginx that answered over TLS, undefined when none did. */
  readonly instance: string | undefined;
  /** The number of the round in which it was probed. */
  readonly round: number;
}

export interface PeersView {
  /** The last answer of each blade that answered its last question. */
  readonly answers: readonly PeerAnswer[];
  /** When the last round of questions that a step had asked for was over; -Infinity before the first. */
  readonly answeredMs: number;
}

export interface PeerAnswer {
  readonly blade: string;
  /** Monotonic ms at which the question left; the answer is no older. */
  readonly askedAtMs: number;
  readonly vips: ReadonlyMap<string, PeerVipView>;
  /** Digest of the platform spec that it obeys; absent where its release does not tell. */
  readonly specDigest?: string;
}
