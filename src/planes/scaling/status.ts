import type { Observed } from './compile/observed.ts';
import type { KeptFloor } from './follow/floors-kept.ts';
import type { ScalingFinding } from './reasons.ts';
import type { Seen } from './step.ts';

/** What the agent says of itself in `/status`. */
export interface ScalingStatus {
  readonly cluster: string;
  /** When demand was measured and floors were computed last, in milliseconds since the epoch; absent before the first time. */
  readonly measuredAtMs?: number;
  readonly computedAtMs?: number;
  readonly targets: readonly TargetView[];
  readonly findings: readonly ScalingFinding[];
  /** Why no floor falls now. */
  readonly doubts: readonly string[];
  /** Why the last run brought nothing, and why what was told is not kept for a restart. */
  readonly problems: readonly string[];
}

/** One target of the cluster. */
export interface TargetView {
  readonly target: string;
  /** What autoscalers are told. */
  readonly told: number;
  /** What is needed now: less than `told` while a higher floor is given back. Absent before the first run. */
  readonly floor?: number;
  /** The failure that decides. */
  readonly binding?: string;
  readonly missing: number;
  readonly observed?: Observed;
  readonly changedAtMs: number;
}

export interface StatusInput {
  readonly cluster: string;
  readonly seen: Seen | undefined;
  readonly told: ReadonlyMap<string, KeptFloor>;
  readonly problems: readonly string[];
}

export function statusOf({ cluster, seen, told, problems }: StatusInput): ScalingStatus {
  const views = [...told].map(([target, { replicas, changedAtMs }]): TargetView => {
    const floor = seen?.floors.find((one) => one.target === target);
    const observed = seen?.observed.get(target);
    return {
      target,
      told: replicas,
      ...(floor === undefined ? {} : { floor: floor.replicas }),
      ...(floor?.binding === undefined ? {} : { binding: floor.binding.failure }),
      missing: floor?.missing ?? 0,
      ...(observed === undefined ? {} : { observed }),
      changedAtMs,
    };
  });
  return {
    cluster,
    ...(seen === undefined ? {} : { measuredAtMs: seen.world.demand.rates.measuredAtMs, computedAtMs: seen.atMs }),
    targets: views.toSorted((a, b) => (a.target < b.target ? -1 : 1)),
    findings: seen?.findings ?? [],
    doubts: seen?.doubts ?? [],
    problems,
  };
}
