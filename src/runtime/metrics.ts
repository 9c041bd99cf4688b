import { collectDefaultMetrics, Registry } from 'prom-client';

export { Counter, Gauge, Histogram, Registry } from 'prom-client';
export { CountedHistogram, type CountedRow } from './counted-histogram.ts';

/** Makes the registry of one agent, with the process metrics. The library's global registry is never used. */
export function createRegistry(component: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ component });
  // The default precision of 10 ms wakes an idle agent a hundred times a second: half a percent of a core.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 1000 });
  return registry;
}
