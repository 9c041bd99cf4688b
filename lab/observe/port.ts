import type { Clock } from '../../src/runtime/clock.ts';
import type { Ledger } from '../clients/ledger.ts';
import type { RunningCluster } from '../clusters/running.ts';
import type { Network } from '../net/network.ts';
import type { Supervisor } from '../supervise.ts';
import type { Router } from '../world/routers.ts';
import type { World } from '../world/topology.ts';

/** What can be asked of a running lab without changing it. A `Lab` satisfies it, and so does a small object in a test. */
export interface ViewPort {
  readonly world: World;
  readonly routers: readonly Router[];
  /** The clusters, by name. */
  readonly clusters: ReadonlyMap<string, Pick<RunningCluster, 'pods' | 'control'>>;
  /** The lab's network: views run programs in its namespaces to see what a machine there sees. */
  readonly network: Pick<Network, 'ip' | 'exec'>;
  readonly supervisor: Pick<Supervisor, 'status'>;
  /** The account of all clients. */
  readonly ledger: Pick<Ledger, 'window' | 'totals'>;
  readonly clock: Clock;
  readonly uptimeMs: number;
  /** The time from the start to the first request that a client got served; undefined before that. */
  readonly firstServedAfterMs: number | undefined;
  /** The Node program that requests are sent with. */
  readonly node: string;
  /** The certificate with which agents are asked, in PEM; undefined where they need none. */
  readonly agentAccess: { readonly cert: string; readonly key: string; readonly ca: string } | undefined;
  /** Where the lab's Prometheus answers; undefined when there is none. */
  readonly alerts: string | undefined;
  /** Where the lab's steering agent answers; undefined when there is none. */
  readonly steering: string | undefined;
  /** The control socket of a router's BIRD. */
  birdSocket(router: string): string;
}
