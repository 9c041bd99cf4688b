import type { HoldView, LeadershipView, ParityView, ZoneView } from '../../model/steering-status.ts';
import { Counter, Gauge, type Registry } from '../../runtime/metrics.ts';
import type { ZoneAtProvider } from './compile/intent.ts';
import type { SteeringReason } from './reasons.ts';
import type { SteeringMode } from './step.ts';

const answeredOtherwise: SteeringReason = 'AnsweredOtherwise';

export interface SteeringFigures {
  readonly mode: SteeringMode;
  readonly leadership: LeadershipView;
  readonly zones: readonly ZoneView[];
  readonly parity?: readonly ParityView[];
}

export interface SteeringMetrics {
  /** Counts a zone that was written. */
  applied(zone: ZoneAtProvider): void;
}

/** Exports what `now` says whenever somebody asks. */
export function steeringMetrics(registry: Registry, now: () => SteeringFigures, nowMs: () => number): SteeringMetrics {
  const registers = [registry];
  const applies = new Counter({
    name: 'tideline_steering_applies_total',
    help: 'Plans that this agent carried out by itself, by provider and zone',
    labelNames: ['provider', 'zone'],
    registers,
  });
  const gauge: AddGauge = (name, help, labelNames, fill) => {
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        fill(this);
      },
    });
  };
  zoneGauges(gauge, now, nowMs);
  holdGauges(gauge, now, nowMs);
  parityGauges(gauge, now);
  gauge('tideline_steering_mode', '1 for the mode in which the agent was started', ['mode'], (to) => {
    to.set({ mode: now().mode }, 1);
  });
  return { applied: ({ provider, zone }) => applies.inc({ provider, zone }) };
}

type AddGauge = <L extends string>(
  name: string,
  help: string,
  labelNames: readonly L[],
  fill: (to: Gauge<L>) => void,
) => void;

const holdLabels = ['provider', 'zone', 'policy', 'target_cluster', 'mode'] as const;
type HoldLabel = (typeof holdLabels)[number];

function zoneGauges(gauge: AddGauge, now: () => SteeringFigures, nowMs: () => number): void {
  const ofConditions = (state: ZoneView['state']) => (to: Gauge<'provider' | 'zone' | 'reason'>) => {
    for (const { provider, zone, conditions } of now().zones.filter((one) => one.state === state))
      for (const reason of new Set(conditions.map((one) => one.reason))) to.set({ provider, zone, reason }, 1);
  };
  gauge(
    'tideline_steering_waiting',
    '1 while a plan of the zone is not applied by itself, by the reason why',
    ['provider', 'zone', 'reason'],
    ofConditions('waits'),
  );
  gauge(
    'tideline_steering_failing',
    '1 while the zone can be neither planned nor written and is tried again, by the reason why',
    ['provider', 'zone', 'reason'],
    ofConditions('fails'),
  );
  gauge(
    'tideline_steering_drift',
    'Records and health checks of the zone that somebody else edited since it was applied',
    ['provider', 'zone'],
    (to) => {
      for (const { provider, zone, drift } of now().zones)
        if (drift !== undefined) to.set({ provider, zone }, drift.edits);
    },
  );
  gauge(
    'tideline_steering_overlays',
    'Proposals about the zone that a person should look after, by the reason why',
    ['provider', 'zone', 'reason'],
    (to) => {
      for (const { provider, zone, overlays = [] } of now().zones)
        for (const [reason, some] of Map.groupBy(overlays, (one) => one.reason))
          to.set({ provider, zone, reason }, some.length);
    },
  );
  gauge(
    'tideline_steering_answered_otherwise',
    '1 while a name server of the zone is silent or answers otherwise than what this agent applied',
    ['provider', 'zone'],
    (to) => {
      for (const { provider, zone, conditions } of now().zones)
        if (conditions.some(({ reason }) => reason === answeredOtherwise)) to.set({ provider, zone }, 1);
    },
  );
  gauge(
    'tideline_steering_plan_age_seconds',
    'Time since the zone was read and planned last or, where this agent has not done so yet, since it began to try',
    ['provider', 'zone'],
    (to) => {
      for (const { provider, zone, state, sinceMs, plannedAtMs } of now().zones) {
        const fromMs = plannedAtMs ?? (state === 'standby' ? undefined : sinceMs);
        if (fromMs !== undefined) to.set({ provider, zone }, Math.max(0, nowMs() - fromMs) / 1000);
      }
    },
  );
}

function holdGauges(gauge: AddGauge, now: () => SteeringFigures, nowMs: () => number): void {
  gauge(
    'tideline_steering_held',
    '1 while the zone holds back a cluster that was down',
    ['provider', 'zone', 'policy', 'target_cluster'],
    (to) => {
      for (const { provider, zone, holds = [] } of now().zones)
        for (const { policy, cluster } of holds) to.set({ provider, zone, policy, target_cluster: cluster }, 1);
    },
  );
  const ofHolds = (value: (hold: HoldView) => number) => (to: Gauge<HoldLabel>) => {
    for (const { provider, zone, holds = [] } of now().zones)
      for (const hold of holds) {
        const { policy, cluster: target_cluster, mode } = hold;
        to.set({ provider, zone, policy, target_cluster, mode }, value(hold));
      }
  };
  gauge(
    'tideline_steering_held_seconds',
    'For how long the zone has held back a cluster that was down, by the mode of spec.failback',
    holdLabels,
    ofHolds(({ sinceMs }) => Math.max(0, nowMs() - sinceMs) / 1000),
  );
  gauge(
    'tideline_steering_held_expected_seconds',
    'For how long the zone holds the cluster back at most while it stays healthy; 0 where a person ends it',
    holdLabels,
    ofHolds(({ expectedSeconds }) => expectedSeconds),
  );
}

function parityGauges(gauge: AddGauge, now: () => SteeringFigures): void {
  gauge(
    'tideline_steering_hosts_lacking',
    'Hosts of a policy that a cluster which it names does not serve, or not with endpoints and certificate, by reason',
    ['policy', 'target_cluster', 'reason'],
    (to) => {
      for (const { policy, cluster, lacks } of now().parity ?? [])
        for (const [reason, some] of Map.groupBy(lacks, (lack) => lack.reason))
          to.set({ policy, target_cluster: cluster, reason }, some.length);
    },
  );
  gauge(
    'tideline_steering_hosts_unknown',
    'Hosts of a policy of which it is not known whether a cluster that it names has them',
    ['policy', 'target_cluster'],
    (to) => {
      for (const { policy, cluster, unknown } of now().parity ?? [])
        to.set(
          { policy, target_cluster: cluster },
          unknown.reduce((sum, { count }) => sum + count, 0),
        );
    },
  );
}
