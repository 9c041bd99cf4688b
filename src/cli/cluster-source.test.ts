import { expect, it } from 'vitest';
import type { Platform } from '../model/spec/platform.ts';
import { type SourceArguments, sourcePlace } from './cluster-source.ts';

function platformWith(source: object): Platform {
  // Only the fields that `sourcePlace` reads.
  return { clusters: new Map([['paris', { spec: { source } }]]), folderOf: () => '/spec' } as unknown as Platform;
}

const pod = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' };

it.each<[object, SourceArguments, object]>([
  [{ manifests: 'm' }, {}, { manifests: '/spec/m' }],
  [{ kubeconfig: 'k' }, {}, { kubeconfig: '/spec/k' }],
  [{ kubeconfig: 'k', context: 'c' }, {}, { kubeconfig: '/spec/k', context: 'c' }],
  [{ kubeconfig: 'k', context: 'c' }, { context: 'd' }, { kubeconfig: '/spec/k', context: 'd' }],
  [{ kubeconfig: 'k' }, { manifests: '/m' }, { manifests: '/m' }],
  [{ manifests: 'm' }, { kubeconfig: '/k', context: 'c' }, { kubeconfig: '/k', context: 'c' }],
  [{ none: {} }, { inCluster: true }, { inCluster: { host: '10.96.0.1', port: '443' } }],
])('%j with %j is read at %j', (source, given, place) => {
  expect(sourcePlace(platformWith(source), 'paris', given, pod)).toEqual(place);
});

it.each<[object, SourceArguments, NodeJS.ProcessEnv, RegExp]>([
  [{ none: {} }, {}, {}, /neither manifests nor kubeconfig/],
  [{ none: {} }, { inCluster: true }, {}, /this is no pod/],
  [{ none: {} }, { inCluster: true, kubeconfig: 'k' }, pod, /exclude each other/],
])('%j with %j is refused', (source, given, env, message) => {
  expect(() => sourcePlace(platformWith(source), 'paris', given, env)).toThrow(message);
});
