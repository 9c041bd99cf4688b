import { expect, test } from 'vitest';
import { blade, takenAtMs } from '../../test/support/snapshot.ts';
import { withDrainOf } from '../../test/support/steering/agent.ts';
import { loadPlatformOrThrow } from '../platform/load.ts';
import { renderDrains } from './drain-text.ts';
import { drainStates } from './drains.ts';

const platform = await loadPlatformOrThrow(['examples/hybrid']);

test('a cluster whose blades have nothing left is not empty while a steering agent says that DNS leads there', () => {
  const paris = withDrainOf(platform, 'paris', takenAtMs + 3_600_000);
  const nothing = { draining: true, vips: [], nginx: { activeConnections: 0 } };
  const agents = [blade('paris-blade-1', nothing), blade('paris-blade-2', nothing)];
  const seen = (share: number) => {
    const byFamily = { ipv4: share };
    const view = { drain: 'paris-works', share, byFamily, ttlSeconds: 30, emptyAtMs: share > 0 ? undefined : 0 };
    const zone = { provider: 'route53', zone: 'z', state: 'inForce', sinceMs: 0, conditions: [], holds: [] };
    const zones = [{ ...zone, drains: [view] }];
    const agent = { agent: 'steering' as const, mode: 'automatic', leadership: { leading: true }, zones };
    return drainStates(paris, {
      takenAtMs,
      agents,
      clusters: [],
      pools: [],
      drains: [],
      steering: [{ at: 'a', steering: agent }],
    });
  };
  expect(seen(0.5)).toMatchObject([{ phase: 'draining', inDns: { share: 0.5 } }]);
  expect(renderDrains(seen(0.5), takenAtMs).join()).toContain('DNS still leads 50 % of the users of a host there');
  expect(seen(0)).toMatchObject([{ phase: 'empty', inDns: { share: 0 } }]);
});
