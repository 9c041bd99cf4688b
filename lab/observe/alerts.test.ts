import { expect, it } from 'vitest';
import { firing } from './alerts.ts';

const alert = (state: string, alertname: string, activeAt: string, cluster?: string) => ({
  state,
  activeAt,
  labels: { alertname, severity: 'page', ...(cluster === undefined ? {} : { cluster }) },
});

it('names each alert of a cluster once, since its first server, the oldest first, and none that only waits', () => {
  const alerts = [
    alert('firing', 'TidelineAgentDown', '2026-11-27T12:00:09Z', 'paris'),
    alert('firing', 'TidelineAgentDown', '2026-11-27T12:00:08Z', 'paris'),
    alert('firing', 'TidelineBladesGone', '2026-11-27T12:00:03Z', 'paris'),
    alert('pending', 'TidelineVipOneBlade', '2026-11-27T12:00:00Z', 'newyork'),
    alert('firing', 'TidelineDoubt', '2026-11-27T12:00:04Z'),
  ];
  const at = (second: number) => Date.parse('2026-11-27T12:00:00Z') + second * 1000;
  expect(firing({ data: { alerts } })).toEqual([
    { name: 'TidelineBladesGone', severity: 'page', sinceMs: at(3), cluster: 'paris' },
    { name: 'TidelineDoubt', severity: 'page', sinceMs: at(4) },
    { name: 'TidelineAgentDown', severity: 'page', sinceMs: at(8), cluster: 'paris' },
  ]);
});
