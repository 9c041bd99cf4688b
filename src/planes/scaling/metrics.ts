import { Gauge, type Registry } from '../../runtime/metrics.ts';
import type { ScalingStatus } from './status.ts';

/** Exports what `now` says whenever somebody asks: the numbers that autoscalers get, for Prometheus. */
export function scalingMetrics(registry: Registry, now: () => ScalingStatus, nowMs: () => number): void {
  const gauge = <L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    fill: (to: Gauge<L>, status: ScalingStatus) => void,
  ): void => {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        fill(this, now());
      },
    });
  };
  gauge(
    'tideline_scaling_floor_replicas',
    'Replicas that the target is told to have, so that every failure it is to survive is survived',
    ['target'],
    (to, { targets }) => {
      for (const { target, told } of targets) to.set({ target }, told);
    },
  );
  gauge('tideline_scaling_ready_replicas', 'Replicas of the target that are Ready', ['target'], (to, { targets }) => {
    for (const { target, observed } of targets) if (observed?.state === 'read') to.set({ target }, observed.ready);
  });
  gauge(
    'tideline_scaling_floor_missing_replicas',
    'Replicas that the target needs and cannot have',
    ['target'],
    (to, { targets }) => {
      for (const { target, missing } of targets) to.set({ target }, missing);
    },
  );
  gauge('tideline_scaling_findings', 'What a person should look after, by reason', ['reason'], (to, { findings }) => {
    for (const [reason, some] of Map.groupBy(findings, (one) => one.reason)) to.set({ reason }, some.length);
  });
  gauge(
    'tideline_scaling_demand_age_seconds',
    'Time since the demand was measured from which floors were computed last',
    [],
    (to, { measuredAtMs }) => {
      if (measuredAtMs !== undefined) to.set(Math.max(0, nowMs() - measuredAtMs) / 1000);
    },
  );
}
