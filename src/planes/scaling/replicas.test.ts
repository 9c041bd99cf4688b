import { expect, test } from 'vitest';
import { targetIn } from '../../../test/support/scaling/world.ts';
import { ApiError, type KubeRequest } from '../../kube/api/client.ts';
import type { Observed } from './compile/observed.ts';
import { floorFindings } from './findings.ts';
import { observe } from './replicas.ts';

const objects: Readonly<Record<string, unknown>> = {
  '/apis/apps/v1/namespaces/video/deployments/web': { status: { readyReplicas: 12, replicas: 14 } },
  '/apis/apps/v1/namespaces/video/deployments/new': { status: {} },
  '/apis/autoscaling/v2/namespaces/video/horizontalpodautoscalers/web': {
    spec: { scaleTargetRef: { kind: 'Deployment', name: 'web' }, minReplicas: 3, maxReplicas: 40 },
  },
  '/apis/autoscaling/v2/namespaces/video/horizontalpodautoscalers/odd': {
    spec: { scaleTargetRef: { kind: 'Rollout', name: 'web' }, maxReplicas: 40 },
  },
};

async function observed(kind: string, name: string): Promise<Observed> {
  const request = async <T>({ path }: KubeRequest): Promise<T> => {
    const found = objects[path];
    if (found === undefined) throw new ApiError(404, 'NotFound', 'not found');
    return found as T;
  };
  return observe({ request }, targetIn('cloud-europe', { workload: { kind, namespace: 'video', name } }).spec, 1000);
}

test.each([
  ['Deployment', 'web', { state: 'read', ready: 12 }],
  ['Deployment', 'new', { state: 'read', ready: 0 }],
  [
    'HorizontalPodAutoscaler',
    'web',
    { state: 'read', ready: 12, autoscaler: { min: 3, max: 40 }, scales: { kind: 'Deployment', name: 'web' } },
  ],
  [
    'HorizontalPodAutoscaler',
    'odd',
    { state: 'unread', why: 'it scales a Rollout, whose replicas are not known here' },
  ],
  ['Deployment', 'gone', { state: 'unread', why: 'there is no Deployment video/gone, or what it scales is gone' }],
])('a %s %s', async (kind, name, expected) => {
  expect(await observed(kind, name)).toEqual(expected);
});

test('a floor that is not held, and an autoscaler that will not hold it, are found', () => {
  const { spec } = targetIn('cloud-europe', {
    workload: { kind: 'HorizontalPodAutoscaler', namespace: 'video', name: 'web' },
    replicas: { min: 2, max: 100 },
  });
  const need = { failure: 'site paris', callsPerSecond: 2620, replicas: 59, from: [] };
  const floor = {
    target: 'web',
    spec,
    replicas: 59,
    now: { ...need, failure: 'nothing', replicas: 18 },
    needs: [need],
    binding: need,
    missing: 0,
  };
  const found = (one: Observed) => floorFindings(floor, one).map(({ reason }) => reason);
  expect(found({ state: 'read', ready: 59, autoscaler: { min: 59, max: 100 } })).toEqual([]);
  expect(found({ state: 'read', ready: 12, autoscaler: { min: 3, max: 40 } })).toEqual([
    'FloorNotHeld',
    'MinimumLow',
    'MaximumLow',
  ]);
  expect(found({ state: 'unread', why: 'no route' })).toEqual(['WorkloadUnread']);
});
