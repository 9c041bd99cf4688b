import { afterEach, expect, test } from 'vitest';
import { clusterWith, Rig, stopAgents } from '../../../../test/support/edge-rig.ts';
import { readCounts } from './counts.ts';

afterEach(stopAgents);

test('what nginx counted of requests is exported, and the demand of the last hour is in the status', async () => {
  const rig = new Rig('paris-blade-1');
  const counted = (requests: number) =>
    readCounts({
      hosts: { 'www.video.example': { counts: [requests, 0, requests], reasons: {} } },
      countries: { FR: [requests, 1, 500] },
      leftOut: 3,
      countryData: 'CountryDataMissing',
    });
  rig.dataPlane.counts = counted(10);
  await rig.serve();
  expect(rig.dataPlane.measured).toEqual(['www.video.example']);
  expect(rig.agent.status().demand).toBeUndefined();
  rig.dataPlane.counts = counted(25);
  await rig.clock.advance(5000);
  expect(rig.agent.status().demand?.countries).toMatchObject([{ country: 'FR', requests: 15 }]);
  expect(rig.agent.status().requestsPerSecond).toBe(3);
  expect(rig.agent.status().countryData).toBe('CountryDataMissing');
  const metrics = await rig.registry.metrics();
  expect(metrics).toContain('tideline_edge_requests_total{host="www.video.example",status="2xx"} 25');
  expect(metrics).toContain('tideline_edge_country_data 0');
  rig.dataPlane.counts = undefined;
  await rig.clock.advance(5000);
  expect(await rig.registry.metrics()).toContain('tideline_edge_round_trips_left_out_total 3');
});

test('a backend that loses its last endpoint is counted', async () => {
  const rig = new Rig('paris-blade-1');
  await rig.serve();
  expect(await rig.registry.metrics()).toContain('tideline_edge_empty_backends 0');
  rig.source.publish(clusterWith([]), { EndpointSlice: ['video/web-1'] });
  await rig.clock.advance(1000);
  expect(await rig.registry.metrics()).toContain('tideline_edge_empty_backends 1');
});
