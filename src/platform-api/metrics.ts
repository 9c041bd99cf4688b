import { type SpecApiReason, specApiReasons } from '../platform/reasons.ts';
import type { Verdict } from '../platform/spec-api.ts';
import { Gauge, type Registry } from '../runtime/metrics.ts';
import type { PlatformApi } from './source.ts';

const reasons = (Object.keys(specApiReasons) as SpecApiReason[]).filter((reason) => reason !== 'InForce');
const phases = ['syncing', 'live', 'stale'] as const;

/** Measures the APIs that are a source of the spec, whenever somebody asks. */
export function measureApis(
  registry: Registry,
  apis: readonly PlatformApi[],
  verdicts: () => readonly Verdict[],
): void {
  registry.registerMetric(
    new Gauge({
      name: 'tideline_platform_api_phase',
      help: '1 for the phase that an API is in as a source of the platform spec',
      labelNames: ['cluster', 'phase'],
      registers: [],
      collect() {
        for (const api of apis)
          for (const phase of phases)
            this.set({ cluster: api.current().cluster, phase }, api.status().phase === phase ? 1 : 0);
      },
    }),
  );
  registry.registerMetric(
    new Gauge({
      name: 'tideline_platform_api_objects',
      help: 'Objects of the platform spec in APIs: accepted, held (another version is in force) or refused',
      labelNames: ['state'],
      registers: [],
      collect() {
        for (const state of ['accepted', 'held', 'refused'] as const)
          this.set({ state }, verdicts().filter((verdict) => verdict.state === state).length);
      },
    }),
  );
  registry.registerMetric(
    new Gauge({
      name: 'tideline_platform_not_in_force',
      help: 'Objects of the platform spec that are not in force as they stand, by the reason',
      labelNames: ['reason'],
      registers: [],
      collect() {
        for (const reason of reasons)
          this.set({ reason }, verdicts().filter((verdict) => verdict.reason === reason).length);
      },
    }),
  );
}
