import { expect, test } from 'vitest';
import { twoSites } from '../../../test/support/platform.ts';
import { bladeOf, poolOfBlade, poolsOfCluster, siteOfCluster, siteOfServer, sitesOfCluster } from './places.ts';

const platform = twoSites();
const nameOf = (object: { readonly metadata: { readonly name: string } } | undefined) => object?.metadata.name;

test.each([
  ['two-sites', ['north', 'south']],
  ['cloud', ['south']],
  ['nowhere', []],
])('the cluster %s is in the sites %j, the first of them is its place', (cluster, sites) => {
  expect(sitesOfCluster(platform, cluster).map(nameOf)).toEqual(sites);
  expect(nameOf(siteOfCluster(platform, cluster))).toBe(sites[0]);
});

test.each([
  ['10.1.0.1', 'north'],
  ['10.2.0.7', 'south'],
  ['10.3.0.7', undefined],
])('the server %s is in the site %s', (text, site) => {
  expect(nameOf(siteOfServer(platform, { family: 4, text }))).toBe(site);
});

test.each([
  ['two-sites', ['edge']],
  ['cloud', []],
  ['nowhere', []],
])('the cluster %s is served by the pools %j', (cluster, pools) => {
  expect(poolsOfCluster(platform, cluster).map(nameOf)).toEqual(pools);
});

test.each([
  ['b', 'edge', '10.1.0.2'],
  ['c', 'edge', '10.2.0.1'],
  ['z', undefined, undefined],
])('the blade %s is in the pool %s', (blade, name, address) => {
  const pool = poolOfBlade(platform, blade);
  expect(nameOf(pool)).toBe(name);
  expect(pool === undefined ? undefined : bladeOf(pool, blade)?.address.text).toBe(address);
});
