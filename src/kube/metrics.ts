import type { Clock } from '../runtime/clock.ts';
import { Counter, Gauge, type Registry } from '../runtime/metrics.ts';
import { kinds } from './objects/kinds.ts';
import type { KubeReason } from './reasons.ts';
import type { ClusterState, SourceStatus } from './source.ts';
import { objectsOfKind } from './state.ts';

/** The metrics of a cluster source. */
export interface SourceMetrics {
  changed(state: ClusterState): void;
  status(status: SourceStatus): void;
  error(reason: KubeReason): void;
}

const phases = ['syncing', 'live', 'stale'] as const;

export function createSourceMetrics(registry: Registry | undefined, clock: Clock): SourceMetrics {
  if (registry === undefined) return { changed: () => {}, status: () => {}, error: () => {} };
  let changedAt: number | undefined;
  const registers = [registry];
  const objects = new Gauge({
    name: 'tideline_kube_objects',
    help: 'Objects in force, by kind',
    labelNames: ['kind'],
    registers,
  });
  const phase = new Gauge({
    name: 'tideline_kube_source_phase',
    help: '1 for the phase the cluster source is in',
    labelNames: ['phase'],
    registers,
  });
  const errors = new Counter({
    name: 'tideline_kube_errors_total',
    help: 'Files and objects refused and inputs lost, by reason',
    labelNames: ['reason'],
    registers,
  });
  registry.registerMetric(
    new Gauge({
      name: 'tideline_kube_last_change_age_seconds',
      help: 'Time since the last change of the objects in force; absent before the first sync',
      registers: [],
      collect() {
        if (changedAt !== undefined) this.set((clock.monotonic() - changedAt) / 1000);
      },
    }),
  );
  return {
    changed(state) {
      changedAt = clock.monotonic();
      for (const kind of kinds) objects.set({ kind }, objectsOfKind(state, kind).size);
    },
    status(status) {
      for (const name of phases) phase.set({ phase: name }, status.phase === name ? 1 : 0);
    },
    error(reason) {
      errors.inc({ reason });
    },
  };
}
