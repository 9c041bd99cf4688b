import type { PlanePart } from '../../model/status.ts';
import type { LeadershipView, ParityView, SteeringStatus, ZoneApplyView } from '../../model/steering-status.ts';
import { withoutUndefined } from '../../model/values.ts';
import type { SteeringMode } from './step.ts';
import type { ZoneMemory } from './zone-memory.ts';

/** What this agent says in `/status`. `nowMs` and `monotonicMs` are the same moment on both clocks. */
export function statusOf(now: {
  readonly mode: SteeringMode;
  readonly leadership: LeadershipView;
  readonly zones: Iterable<ZoneMemory>;
  readonly applied: readonly ZoneApplyView[];
  readonly parity: readonly ParityView[] | undefined;
  readonly nowMs: number;
  readonly monotonicMs: number;
}): PlanePart<SteeringStatus> {
  const { mode, leadership, zones, applied, parity, nowMs, monotonicMs } = now;
  return {
    mode,
    leadership,
    zones: [...zones].map((memory) => {
      const { provider, zone, state, sinceMs, plannedAtMs, generation, plan, drift, overlays, drains, conditions } =
        memory;
      const { holds = [], returns, failures, retryAtMs } = memory;
      const waits = retryAtMs > monotonicMs;
      return {
        provider,
        zone,
        state,
        sinceMs,
        ...withoutUndefined({ plannedAtMs, generation, plan, drift, overlays, drains }),
        conditions,
        ...(holds.length === 0 ? {} : { holds }),
        ...withoutUndefined({ returns }),
        ...(failures === 0 ? {} : { failures }),
        ...(waits ? { nextTryAtMs: Math.round(nowMs + retryAtMs - monotonicMs) } : {}),
      };
    }),
    ...withoutUndefined({ parity }),
    applied,
  };
}
