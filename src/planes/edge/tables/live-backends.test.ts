import { afterEach, expect, test } from 'vitest';
import { platformForTests } from '../../../../test/support/edge-platform.ts';
import { poolForTests } from '../../../../test/support/edge-pool.ts';
import { clusterWith, Rig, stopAgents } from '../../../../test/support/edge-rig.ts';

afterEach(stopAgents);

const pods = (count: number): readonly string[] => Array.from({ length: count }, (_, at) => `10.10.1.${at + 1}`);

test('endpoints go past the compile only while there is room for them; then the oldest keep theirs, and the slice says so', async () => {
  const rig = new Rig('paris-blade-1');
  const limits = { namespace: { endpoints: 5 }, object: { endpoints: 5 } };
  rig.platform = platformForTests({ pool: poolForTests({ limits }) });
  await rig.serve();
  const change = async (count: number) => {
    rig.dataPlane.calls.length = 0;
    rig.source.publish(clusterWith(pods(count)), { EndpointSlice: ['video/web-1'] });
    await rig.clock.advance(500);
    const reasons = rig.agent
      .status()
      .refused.map(({ object, problems }) => [object, problems.map(({ reason }) => reason)]);
    return {
      calls: rig.dataPlane.calls.filter((call) => call.startsWith('apply')),
      endpoints: rig.dataPlane.table?.backends[0]?.endpoints.length,
      reasons,
    };
  };
  expect(await change(5)).toEqual({ calls: ['applyEndpoints'], endpoints: 5, reasons: [] });
  const crowded = [['EndpointSlice/video/web-1', ['ObjectBudget']]];
  expect(await change(9)).toEqual({ calls: ['apply'], endpoints: 5, reasons: crowded });
  expect(await change(8)).toEqual({ calls: ['apply'], endpoints: 5, reasons: crowded });
  expect(await change(3)).toEqual({ calls: ['apply'], endpoints: 3, reasons: [] });
  expect(await change(4)).toEqual({ calls: ['applyEndpoints'], endpoints: 4, reasons: [] });
});
