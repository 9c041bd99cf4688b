import { expect, it } from 'vitest';
import type { ZoneView } from '../../model/steering-status.ts';
import { createRegistry } from '../../runtime/metrics.ts';
import { steeringMetrics } from './metrics.ts';

it('says since when a zone was not planned, also of one that never was', async () => {
  const registry = createRegistry('steering');
  const zone = (name: string, state: ZoneView['state'], plannedAtMs?: number): ZoneView => ({
    provider: 'route53',
    zone: name,
    state,
    sinceMs: 40_000,
    conditions: [],
    ...(plannedAtMs === undefined ? {} : { plannedAtMs }),
  });
  const zones = [zone('planned', 'fails', 90_000), zone('never', 'fails'), zone('other', 'standby')];
  const figures = { mode: 'automatic', leadership: { by: 'fence', leading: true }, zones } as const;
  steeringMetrics(
    registry,
    () => figures,
    () => 100_000,
  );
  const text = await registry.getSingleMetricAsString('tideline_steering_plan_age_seconds');
  const ages = [...text.matchAll(/zone="(\w+)"[^}]*\} (\d+)/g)].map(([, name, age]) => [name, age]);
  expect(ages).toEqual([
    ['planned', '10'],
    ['never', '60'],
  ]);
});
