import { expect, it } from 'vitest';
import { blade, takenAtMs, worker } from '../../../test/support/snapshot.ts';
import { noTrust } from '../../model/platform/trust.ts';
import { placeOfApi } from '../../model/source-status.ts';
import type { ClusterPart, Snapshot } from '../../observe/snapshot.ts';
import type { DrainTarget } from '../../platform/drain-files.ts';
import { loadPlatformOrThrow } from '../../platform/load.ts';
import { concerned } from './concerned.ts';

const platform = await loadPlatformOrThrow(['examples/hybrid']);

function asked(
  target: DrainTarget,
  unread: Readonly<Record<string, string>> = {},
  clusters: readonly ClusterPart[] = [],
) {
  const agents = [blade('paris-blade-1'), worker('paris-worker-1')];
  const snapshot: Snapshot = { takenAtMs, agents, clusters, pools: [], drains: [] };
  const apis = ['paris'].map((cluster) => ({ place: placeOfApi(cluster), cluster, trust: noTrust, objects: [] }));
  return concerned(target, { platform, spec: { folder: [], apis, unread: new Map(Object.entries(unread)) }, snapshot });
}

it.each([
  ['Cluster', 'paris'],
  ['Blade', 'paris-blade-1'],
  ['Worker', 'paris-worker-1'],
] as const)('a Drain of a %s belongs in the API of its cluster', (kind, name) => {
  expect(asked({ kind, name })).toEqual(['paris']);
});

it('a worker that has no agent that can be asked is found by the Node', () => {
  expect(asked({ kind: 'Worker', name: 'w9' }, {}, [{ name: 'paris', unplaced: ['w9'] }])).toEqual(['paris']);
});

it.each([
  ['a site', { kind: 'Site', name: 'paris' }, {}, [], /a site may serve several clusters.*OfOtherCluster/s],
  ['a cluster without an API', { kind: 'Cluster', name: 'newyork' }, {}, [], /names no kubeconfig.*NoClusterSource/s],
  [
    'an API that refuses',
    { kind: 'Cluster', name: 'newyork' },
    { newyork: 'no right: SourceForbidden' },
    [],
    /newyork cannot be read: no right: SourceForbidden/,
  ],
  [
    'a worker whose cluster is silent',
    { kind: 'Worker', name: 'w8' },
    {},
    [{ name: 'paris', problem: 'cannot be read' }],
    /no cluster that answers lists a worker "w8"; not known: paris cannot be read/,
  ],
] as const)('%s is refused with the reason', (_, target, unread, clusters, says) => {
  expect(() => asked(target, unread, clusters)).toThrow(says);
});
