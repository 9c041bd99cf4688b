import { expect, it } from 'vitest';
import { customList, externalList } from './answers.ts';
import { type Ask, askOf } from './asks.ts';
import { bookOf, type Series } from './series.ts';

const custom = '/apis/custom.metrics.k8s.io/v1beta2';
const external = '/apis/external.metrics.k8s.io/v1beta1';

/** The cases of the reference server's own table, with its codes. */
it.each([
  [`/long/prefix${custom}/namespaces/ns/pods/*/m`, 404],
  [`/${custom}`, 404],
  [`${custom}/blah`, 404],
  [`${custom}/nodes/foo`, 404],
  [`${custom}/namespaces/ns/pods/bar`, 404],
  [`${external}/nonexistent-metric`, 404],
  [`${external}/namespaces/foo`, 404],
  [`${external}/namespaces/foo/group/metric`, 404],
  ['/apis/apps/v1', 404],
  ['/apis/custom.metrics.k8s.io/v1', 404],
  ['/apis/__proto__', 404],
  ['/openapi/v2', 404],
  [`${external}/namespaces/ns/m?labelSelector=a%20b`, 400],
  [`${custom}/namespaces/ns/pods/*/m?fieldSelector=spec.nodeName%3Dx`, 400],
  [`${external}/namespaces/ns/%zz`, 400],
  [`${external}/namespaces/ns/m?watch=true`, 405],
  [`${external}/namespaces/ns/${'m'.repeat(9000)}`, 414],
])('%s has no answer: %s', (url, code) => {
  expect(askOf('GET', url)).toMatchObject({ of: 'nothing', code });
});

it.each([
  [`${custom}/nodes/*/m`, { namespace: '', resource: 'nodes', name: '*', metric: 'm' }],
  [`${custom}/nodes/%2A/m`, { name: '*' }],
  [`${custom}/namespaces/ns/pods/*/m`, { namespace: 'ns', resource: 'pods', name: '*' }],
  [`${custom}/namespaces/ns/deployments.apps/web/m`, { resource: 'deployments.apps', name: 'web' }],
  [`${custom}/namespaces/ns/metrics/m`, { namespace: '', resource: 'namespaces', name: 'ns', metric: 'm' }],
  [`${custom}/namespaces/ns/pods/a%2Fb/m?fieldSelector=metadata.name%3Da%2Fb`, { name: 'a/b' }],
])('%s is of objects', (url, object) => {
  expect(askOf('GET', url)).toMatchObject({ of: 'custom', version: 'v1beta2', object });
});

it('only reads', () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'CONNECT'])
    expect(askOf(method, `${external}/namespaces/ns/m`)).toMatchObject({ code: 405 });
});

const series = (changed: Partial<Series>): Series => ({
  metric: 'tideline_floor_replicas',
  labels: { target: 'web' },
  value: 7,
  atMs: Date.UTC(2026, 10, 28, 12, 0, 0, 900),
  namespace: 'video',
  ...changed,
});
const described = { resource: 'deployments.apps', apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
const book = bookOf([
  series({}),
  series({ object: described }),
  series({ labels: { target: 'api' }, value: 2.5 }),
  series({ labels: { target: 'odd' }, value: Number.NaN }),
  { metric: 'tideline_country_requests_per_second', labels: { country: 'FR' }, windowSeconds: 60, value: 1, atMs: 0 },
]);

function answered(url: string): unknown {
  const ask: Ask = askOf('GET', url);
  if (ask.of === 'external') return externalList(ask, book);
  return ask.of === 'custom' ? customList(ask, book) : ask;
}

it('gives what is selected, in the form of the version', () => {
  expect(answered(`${external}/namespaces/video/tideline_floor_replicas?labelSelector=target%3Dweb`)).toEqual({
    kind: 'ExternalMetricValueList',
    apiVersion: 'external.metrics.k8s.io/v1beta1',
    metadata: {},
    items: [
      {
        metricName: 'tideline_floor_replicas',
        metricLabels: { target: 'web' },
        timestamp: '2026-11-28T12:00:00Z',
        value: '7',
      },
    ],
  });
  const item = {
    describedObject: { kind: 'Deployment', namespace: 'video', name: 'web', apiVersion: 'apps/v1' },
    value: '7',
  };
  const path = 'namespaces/video/deployments.apps/web/tideline_floor_replicas';
  expect(answered(`${custom}/${path}`)).toMatchObject({
    items: [{ ...item, metric: { name: 'tideline_floor_replicas', selector: null } }],
  });
  expect(answered(`/apis/custom.metrics.k8s.io/v1beta1/${path}`)).toMatchObject({
    items: [{ ...item, metricName: 'tideline_floor_replicas', selector: null }],
  });
});

it('keeps what is of a namespace there, and leaves out what is no number', () => {
  const itemsAt = (url: string): readonly unknown[] => (answered(url) as { readonly items: readonly unknown[] }).items;
  expect(itemsAt(`${external}/namespaces/video/tideline_floor_replicas`)).toHaveLength(2);
  expect(itemsAt(`${external}/namespaces/other/tideline_floor_replicas`)).toEqual([]);
  expect(itemsAt(`${external}/namespaces/other/tideline_country_requests_per_second`)).toMatchObject([{ window: 60 }]);
  for (const name of ['unknown', '__proto__', 'constructor'])
    expect(itemsAt(`${external}/namespaces/video/${name}`)).toEqual([]);
  expect(answered(`${custom}/namespaces/video/deployments.apps/none/tideline_floor_replicas`)).toBeUndefined();
  expect(itemsAt(`${custom}/namespaces/video/deployments.apps/*/tideline_floor_replicas`)).toHaveLength(1);
});
