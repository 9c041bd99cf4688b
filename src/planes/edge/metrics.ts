import type { EdgeNotice } from '../../model/status.ts';
import { Counter, Gauge, Histogram, type Registry } from '../../runtime/metrics.ts';
import type { Condition } from './compile/condition.ts';
import { hostLabel, type RequestMetrics, requestMetrics } from './requests/metrics.ts';
import { silentWorkers } from './step/convergence.ts';
import { darkBackends } from './step/tries.ts';
import type { Step } from './step.ts';
import type { DataPlaneStatus } from './table.ts';

export interface EdgeMetrics {
  /** Seconds until nginx acknowledged a change; `path` is `table` or `endpoints`. */
  readonly applySeconds: Histogram<'path'>;
  readonly compileSeconds: Histogram;
  /** Backends whose endpoints were replaced on the fast path. */
  readonly endpointUpdates: Counter;
  readonly applyFailures: Counter<'path'>;
  readonly generation: Gauge;
  readonly hosts: Gauge;
  readonly backends: Gauge;
  /** The number of refusals in force, by reason. */
  readonly refusals: Gauge<'reason'>;
  readonly vipFit: Gauge<'vip'>;
  readonly vipAnnounced: Gauge<'vip'>;
  /** Seconds until a VIP that left its pool is withdrawn. */
  readonly vipLeaves: Gauge<'vip'>;
  readonly policyHealthy: Gauge<'policy'>;
  readonly draining: Gauge;
  readonly peersNotBelieved: Gauge;
  readonly refusedHandshakes: Gauge;
  /** Requests that nginx answered itself, by reason; begins anew when nginx does. */
  readonly answered: Counter<'reason'>;
  /** Tries to connect to endpoints, by how they ended; begins anew when nginx does. */
  readonly tries: Counter<'outcome'>;
  /** Backends of the table without any endpoint. */
  readonly emptyBackends: Gauge;
  readonly certificateEnd: Gauge<'host'>;
  /** Backends of policies that are dark (step/tries.ts). */
  readonly unreachable: Gauge;
  readonly silentWorkers: Gauge;
  readonly requests: RequestMetrics;
}

export function edgeMetrics(registry: Registry): EdgeMetrics {
  const registers = [registry];
  const gauge = <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []): Gauge<L> =>
    new Gauge({ name: `tideline_edge_${name}`, help, labelNames, registers });
  const buckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
  return {
    requests: requestMetrics(registry),
    applySeconds: new Histogram({
      name: 'tideline_edge_apply_seconds',
      help: 'Time until nginx acknowledged a change',
      labelNames: ['path'],
      buckets,
      registers,
    }),
    compileSeconds: new Histogram({
      name: 'tideline_edge_compile_seconds',
      help: 'Time of a compile of the whole table',
      buckets,
      registers,
    }),
    endpointUpdates: new Counter({
      name: 'tideline_edge_endpoint_updates_total',
      help: 'Backends whose endpoints were replaced without a compile',
      registers,
    }),
    applyFailures: new Counter({
      name: 'tideline_edge_apply_failures_total',
      help: 'Changes that nginx did not acknowledge; they are tried again',
      labelNames: ['path'],
      registers,
    }),
    generation: gauge('generation', 'The last table generation that nginx acknowledged'),
    hosts: gauge('hosts', 'Hosts in the routing table'),
    backends: gauge('backends', 'Backends in the routing table'),
    refusals: gauge('refusals', 'What is refused now, by reason', ['reason']),
    vipFit: gauge('vip_fit', '1 when this blade is fit to serve the VIP', ['vip']),
    vipAnnounced: gauge('vip_announced', '1 when ExaBGP announces the VIP from this blade', ['vip']),
    vipLeaves: gauge('vip_leaves_seconds', 'Seconds until a VIP that left its pool is withdrawn', ['vip']),
    policyHealthy: gauge('policy_healthy', '1 when the policy is healthy here', ['policy']),
    answered: new Counter({
      name: 'tideline_edge_answered_total',
      help: 'Requests that nginx answered itself instead of a pod, or whose response it refused, by reason',
      labelNames: ['reason'],
      registers,
    }),
    tries: new Counter({
      name: 'tideline_edge_tries_total',
      help: 'Tries of nginx to connect to an endpoint: connected (or a kept connection), refused at once, silent until the time was over',
      labelNames: ['outcome'],
      registers,
    }),
    emptyBackends: gauge('empty_backends', 'Backends of the table without any endpoint: their routes answer 503'),
    certificateEnd: gauge(
      'certificate_end_timestamp_seconds',
      'When the certificate of a host ends, in seconds since the epoch; of the hosts that are not measured one by one the first end',
      ['host'],
    ),
    unreachable: gauge('unreachable_backends', 'Backends of traffic policies to which no try connects'),
    silentWorkers: gauge('silent_workers', 'Worker processes of nginx that hang or are stopped'),
    peersNotBelieved: gauge('peers_not_believed', 'Blades of the pool whose certificates are not believed'),
    draining: gauge('draining', '1 while a drain of this blade, its cluster or its site is in force'),
    refusedHandshakes: gauge(
      'refused_handshakes',
      'Handshakes since nginx started that got another certificate because nginx could not present that of the host',
    ),
  };
}

/** Sets the metrics of a blade from a step. */
export function setBladeMetrics(metrics: EdgeMetrics, { vips, memory, actions }: Step): void {
  // A VIP that the pool has no longer is neither fit nor announced: it has no value.
  metrics.vipFit.reset();
  metrics.vipAnnounced.reset();
  for (const { address, fit, announced } of vips) {
    metrics.vipFit.set({ vip: address }, fit ? 1 : 0);
    metrics.vipAnnounced.set({ vip: address }, announced ? 1 : 0);
  }
  metrics.unreachable.set(darkBackends(memory.tries).size);
  metrics.draining.set(memory.retirement.phase === 'draining' ? 1 : 0);
  for (const { policy, healthy } of actions.health ?? []) metrics.policyHealthy.set({ policy }, healthy ? 1 : 0);
}

/** Sets when the certificates of hosts end. */
export function setCertificateMetrics({ certificateEnd }: EdgeMetrics, ends: ReadonlyMap<string, number>): void {
  certificateEnd.reset();
  for (const [host, endMs] of ends) certificateEnd.set({ host: hostLabel(host) }, endMs / 1000);
}

/** Sets how long the VIPs that left their pool stay in force. */
export function setLeavingMetrics(
  { vipLeaves }: EdgeMetrics,
  notices: readonly Required<EdgeNotice>[],
  dateMs: number,
): void {
  vipLeaves.reset();
  for (const { subject, untilMs } of notices) vipLeaves.set({ vip: subject }, (untilMs - dateMs) / 1000);
}

/** Sets the metrics of nginx to what it says of itself; it says nothing while it is away. */
export function setNginxMetrics(metrics: EdgeMetrics, nginx: DataPlaneStatus | undefined): void {
  metrics.refusedHandshakes.set(nginx?.refusedHandshakes ?? 0);
  metrics.silentWorkers.set(nginx === undefined ? 0 : silentWorkers(nginx));
  metrics.answered.reset();
  for (const [reason, count] of Object.entries(nginx?.answered ?? {})) metrics.answered.inc({ reason }, count);
  metrics.tries.reset();
  for (const [outcome, count] of Object.entries(nginx?.tries ?? {})) metrics.tries.inc({ outcome }, count);
}

/** Sets the number of refusals in force. */
export function setRefusalMetrics({ refusals }: EdgeMetrics, conditions: readonly Condition[]): void {
  refusals.reset();
  for (const { problems } of conditions) for (const { reason } of problems) refusals.inc({ reason });
}
