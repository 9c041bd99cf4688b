import { expect, test } from 'vitest';
import { policy, twoSites } from '../../../test/support/platform.ts';
import { clustersOfPolicy, countriesOfRule, policiesOfCluster } from './policies.ts';

test('the countries of a rule include those of its continents', () => {
  const rules = [...twoSites().policies.values()].flatMap(({ spec }) => spec.rules);
  expect(rules.map(countriesOfRule)).toEqual([['AQ', 'FR', 'GS', 'TF']]);
});

test.each([
  ['the default', { default: { clusters: [{ name: 'b' }, { name: 'a' }] } }, ['a', 'b']],
  ['its failover', { default: { clusters: [{ name: 'b' }], failover: ['a'] } }, ['a', 'b']],
  [
    'a rule and its failover, each once',
    {
      rules: [{ countries: ['FR'], clusters: [{ name: 'c', weight: 0 }, { name: 'b' }], failover: ['a'] }],
      default: { clusters: [{ name: 'a' }] },
    },
    ['a', 'b', 'c'],
  ],
])('a policy can answer with the clusters of %s', (_, answers, clusters) => {
  expect(clustersOfPolicy(policy('video', answers))).toEqual(clusters);
});

test.each([
  ['two-sites', ['video']],
  ['cloud', ['video']],
  ['nowhere', []],
])('the cluster %s is named by the policies %j', (cluster, policies) => {
  expect(policiesOfCluster(twoSites(), cluster).map(({ metadata }) => metadata.name)).toEqual(policies);
});
