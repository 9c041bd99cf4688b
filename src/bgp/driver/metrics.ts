import { Counter, Gauge, type Registry } from '../../runtime/metrics.ts';
import type { SpeakerStatus } from '../speaker.ts';

/** Records what the driver reports to Prometheus; the names of the metrics are public. */
export interface SpeakerMetrics {
  recordStatus(status: SpeakerStatus, desired: number, differences: number): void;
  countRefusal(reason: string): void;
}

export const noMetrics: SpeakerMetrics = { recordStatus: () => {}, countRefusal: () => {} };

export function speakerMetrics(registry: Registry): SpeakerMetrics {
  const gauge = <L extends string>(name: string, help: string, labelNames: L[] = []): Gauge<L> =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const connected = gauge('tideline_bgp_relay_connected', '1 while the agent is connected to a synchronised relay');
  const up = gauge('tideline_bgp_session_up', '1 while the BGP session is established', ['neighbor']);
  const routes = gauge('tideline_bgp_routes', 'routes asked for, and routes ExaBGP holds', ['state']);
  const differences = gauge(
    'tideline_bgp_route_differences',
    'routes wanted but not held, also those that are refused, or held but not wanted',
  );
  const refused = gauge('tideline_bgp_refused_routes', 'routes refused now', ['reason']);
  const yielding = gauge('tideline_bgp_yielding', '1 while the routes of pods and servers yield to other announcers');
  const yielded = gauge(
    'tideline_bgp_yield_timestamp_seconds',
    'start and end of the last time that the routes yielded',
    ['moment'],
  );
  const refusals = new Counter({
    name: 'tideline_bgp_refusals_total',
    help: 'refusals since the agent started, each counted when it begins',
    labelNames: ['reason'],
    registers: [registry],
  });
  const recordYield = (period: SpeakerStatus['yielded']): void => {
    yielding.set(period !== undefined && period.untilMs === undefined ? 1 : 0);
    yielded.reset();
    if (period !== undefined) yielded.set({ moment: 'start' }, period.sinceMs / 1000);
    if (period?.untilMs !== undefined) yielded.set({ moment: 'end' }, period.untilMs / 1000);
  };
  return {
    countRefusal: (reason) => refusals.inc({ reason }),
    recordStatus(status, desired, difference) {
      connected.set(status.relay === 'synced' ? 1 : 0);
      for (const neighbor of status.neighbors) up.set({ neighbor: neighbor.address }, neighbor.up ? 1 : 0);
      routes.set({ state: 'desired' }, desired);
      routes.set({ state: 'announced' }, status.announced.length);
      differences.set(difference);
      recordYield(status.yielded);
      refused.reset();
      for (const { reason } of status.refusals) refused.inc({ reason });
    },
  };
}
