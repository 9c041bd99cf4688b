import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stateFromObjects } from '../../../../test/support/cluster-state.ts';
import { platformForTests } from '../../../../test/support/edge-platform.ts';
import { poolForTests } from '../../../../test/support/edge-pool.ts';
import type { ClusterState } from '../../../kube/source.ts';
import { createCertificateReader } from '../tables/certificate.ts';
import { compile } from './compile.ts';

const nowMs = Date.parse('2026-11-26T00:00:00Z');

type Json = Record<string, unknown>;

/** All objects of one tenant, in its own namespace. */
function tenant(namespace: string): readonly Json[] {
  const metadata = { name: 'web', namespace };
  const backend = { service: { name: 'web', port: { number: 80 } } };
  const host = `${namespace}.example`;
  const rules = [{ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }];
  const tls = [{ hosts: [host], secretName: 'web' }];
  const data = { 'tls.crt': 'AAAA', 'tls.key': 'AAAA' };
  const labels = { 'kubernetes.io/service-name': 'web' };
  const endpoints = [{ addresses: ['10.10.1.5'], conditions: { ready: true } }];
  return [
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { ...metadata, annotations: {}, creationTimestamp: '2026-01-01T00:00:00Z' },
      spec: { ingressClassName: 'tideline', defaultBackend: backend, tls, rules },
    },
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { type: 'ClusterIP', ports: [{ port: 80, name: '' }] } },
    { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', metadata, data },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata, labels },
      addressType: 'IPv4',
      ports: [{ port: 3000, name: '', protocol: 'TCP' }],
      endpoints,
    },
  ];
}

/** The path of every field but those that name an object, from the list of objects on. */
function fieldsOf(value: unknown, way: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value)
    .filter(([key]) => !['apiVersion', 'kind', 'name', 'namespace'].includes(key) || way.length > 2)
    .flatMap(([key, inner]) => [...(way.length > 0 ? [[...way, key]] : []), ...fieldsOf(inner, [...way, key])]);
}

/** The state, or undefined when the source itself refuses such an object. */
function stateOf(objects: readonly Json[]): ClusterState | undefined {
  try {
    return stateFromObjects(objects);
  } catch {
    return undefined;
  }
}

test('whatever one tenant writes into any field, the other tenant is served as before', () => {
  const pool = poolForTests();
  const platform = platformForTests();
  const readCertificate = createCertificateReader();
  const junk = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.integer(), fc.constantFrom(null, '', [], {}, [null], [1]));
  const served = (state: ClusterState) => {
    const { table } = compile({ state, platform, pool, readCertificate, nowMs });
    return [
      table.hosts.find(({ name }) => name === 'good.example'),
      table.backends.find(({ key }) => key === 'good/web/80'),
    ];
  };
  const before = served(stateFromObjects(tenant('good')));
  let judged = 0;
  fc.assert(
    fc.property(fc.constantFrom(...fieldsOf(tenant('bad'))), junk, (way, value) => {
      const bad = structuredClone(tenant('bad')) as unknown;
      let at = bad as Json;
      for (const key of way.slice(0, -1)) at = at[key] as Json;
      at[way.at(-1) ?? ''] = value;
      const state = stateOf([...(bad as readonly Json[]), ...tenant('good')]);
      if (state === undefined) return;
      judged += 1;
      expect(served(state)).toEqual(before);
    }),
    { numRuns: 2000 },
  );
  expect(judged).toBeGreaterThan(100);
});
