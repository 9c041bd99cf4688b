import { expect, it } from 'vitest';
import { fleetPlatform } from '../../../../test/support/fleet.ts';
import { Cluster, Fleet } from '../../../model/spec/kinds.ts';
import { compileFleet } from './compile.ts';
import type { Manifest } from './objects/manifest.ts';
import { listOf, nameOf } from './objects.ts';

/** The second site's servers and prefixes belong to the first cluster as well. */
function stretched(pods: readonly string[]): readonly Manifest[] {
  const platform = fleetPlatform({ sites: 2 });
  const [cluster, fleet] = [platform.clusters.get('site0'), platform.fleets.get('site0')];
  const { spec } = fleet ?? { spec: undefined };
  const written = JSON.parse(
    JSON.stringify({ ...fleet, spec }, (_, value) => (value?.family === undefined ? value : value.text)),
  );
  const changed = Fleet.parse({
    ...written,
    spec: { ...written.spec, network: { ...written.spec.network, pods, services: ['10.201.0.0/20', 'fd00:2::/112'] } },
  });
  const wide = Cluster.parse({ ...cluster, spec: { ...cluster?.spec, sites: ['site0', 'site1'] } });
  const compiled = compileFleet(
    { ...platform, clusters: new Map([['site0', wide]]), fleets: new Map([['site0', changed]]) },
    {},
  );
  return compiled.objects.get('site0') ?? [];
}

it('each prefix is a pool of the workers of the sites that have it, in both families', () => {
  const pools = stretched(['10.101.0.0/17', '10.102.0.0/16', 'fd00:1:2::/56']).filter(({ kind }) => kind === 'IPPool');
  const shown = pools.map(({ metadata, spec }) => {
    const { blockSize, nodeSelector } = spec as { readonly blockSize: number; readonly nodeSelector: string };
    return [metadata.name, blockSize, nodeSelector];
  });
  expect(shown).toEqual([
    ['pods-10-101-0-0-17', 26, 'topology.kubernetes.io/region in { "site0" }'],
    ['pods-10-102-0-0-16', 26, 'topology.kubernetes.io/region in { "site1" }'],
    ['pods-fd00-1-2-56', 122, 'all()'],
  ]);
});

it('clusters are told apart, and the same platform gives the same bytes', () => {
  const objects = () => compileFleet(fleetPlatform({ sites: 2 }), {}).objects;
  const [one, two] = [...objects().values()];
  const information = (list: readonly Manifest[] | undefined) =>
    list?.find(({ kind }) => kind === 'ClusterInformation');
  expect(information(one)?.['spec']).not.toEqual(information(two)?.['spec']);
  expect(JSON.stringify(listOf(one ?? []))).toBe(JSON.stringify(listOf([...objects().values()][0] ?? [])));
});

it('no object is there twice, and each has the mark by which it is found again', () => {
  const objects = compileFleet(fleetPlatform({ gpus: true }), {}).objects.get('site0') ?? [];
  const names = objects.map(nameOf);
  expect(new Set(names).size).toBe(names.length);
  expect(objects.every(({ metadata }) => metadata.labels?.['app.kubernetes.io/managed-by'] === 'tideline-fleet')).toBe(
    true,
  );
});
