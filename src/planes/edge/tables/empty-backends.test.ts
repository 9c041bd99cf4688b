import { afterEach, expect, test } from 'vitest';
import { clusterWith, Rig, stopAgents } from '../../../../test/support/edge-rig.ts';
import { recoveryEvents, refusalEvents } from '../compile/statuses.ts';

afterEach(stopAgents);

const web = 'Ingress/video/web';
const ingress = (name: string, backend: object, annotations: object = {}) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name, namespace: 'video', annotations },
  spec: {
    ingressClassName: 'tideline',
    rules: [{ host: `${name}.example`, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }],
  },
});
const others = [
  ingress(
    'moved',
    { service: { name: 'web', port: { number: 80 } } },
    {
      'nginx.ingress.kubernetes.io/permanent-redirect': 'https://www.video.example',
    },
  ),
  ingress('gone', { service: { name: 'gone', port: { number: 80 } } }),
];

/** A blade that serves these endpoints of `video/web`. */
async function serving(addresses: readonly string[]) {
  const rig = new Rig('paris-blade-1');
  await rig.serve();
  const publish = (now: readonly string[], changed = 'EndpointSlice') =>
    rig.source.publish(clusterWith(now, others), { [changed]: [changed === 'Ingress' ? 'video/web' : 'video/web-1'] });
  publish(['10.10.1.5'], 'Ingress');
  await rig.clock.advance(1000);
  publish(addresses);
  await rig.clock.advance(500);
  const told = () => {
    const { conditions } = rig.views.at(-1)!;
    return refusalEvents({ state: clusterWith([], others), conditions }).filter(
      ({ reason }) => reason === 'ServiceWithoutEndpoints',
    );
  };
  const metric = async () =>
    (await rig.registry.metrics()).match(/^tideline_edge_refusals\{reason="ServiceWithoutEndpoints"\} (\d+)/m)?.[1];
  return { rig, publish, told, metric };
}

test('an Ingress that leads to a Service without endpoints has a condition, an Event and a metric after half a minute', async () => {
  const { rig, publish, told, metric } = await serving([]);
  expect(await rig.registry.metrics()).toMatch(/^tideline_edge_empty_backends 2$/m);
  await rig.clock.advance(28_000);
  expect([told(), await metric()]).toEqual([[], undefined]);
  await rig.clock.advance(3000);
  expect(rig.agent.status().refused.find(({ object }) => object === web)).toMatchObject({
    state: 'partial',
    problems: [{ reason: 'ServiceWithoutEndpoints', path: 'spec.rules[0].http.paths[0]' }],
  });
  expect(told()).toEqual([
    expect.objectContaining({
      object: expect.objectContaining({ name: 'web' }),
      type: 'Warning',
      fieldPath: 'spec.rules[0].http.paths[0]',
      note: expect.stringMatching(/^Service video\/web has no endpoint\. .*503.* Fix: compare the selector/),
    }),
  ]);
  expect(await metric()).toBe('1');
  const { conditions } = rig.views.at(-1)!;
  await rig.clock.advance(60_000);
  expect(rig.views.at(-1)?.conditions).toBe(conditions);

  publish(['10.10.1.6']);
  await rig.clock.advance(1000);
  expect([told(), await metric()]).toEqual([[], undefined]);
  const recovered = recoveryEvents(conditions, {
    state: clusterWith([], others),
    conditions: rig.views.at(-1)!.conditions,
  });
  expect(recovered.map(({ object, reason }) => [object.name, reason])).toEqual([['web', 'Accepted']]);
});

test('a Service that is empty for a moment again and again is told of nobody', async () => {
  const { rig, publish, told } = await serving([]);
  for (const _ of [1, 2, 3, 4]) {
    await rig.clock.advance(20_000);
    publish(['10.10.1.6']);
    await rig.clock.advance(1000);
    publish([]);
    await rig.clock.advance(500);
    expect(told()).toEqual([]);
  }
});

test('what is told stays over a compile', async () => {
  const { rig, publish, told, metric } = await serving([]);
  await rig.clock.advance(40_000);
  publish([], 'Ingress');
  await rig.clock.advance(500);
  expect([told().length, await metric()]).toEqual([1, '1']);
});
