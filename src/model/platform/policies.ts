import { countriesOf } from '../geo/countries.ts';
import type { TrafficPolicy } from '../spec/kinds.ts';
import type { Platform } from '../spec/platform.ts';

export type PolicyRule = TrafficPolicy['spec']['rules'][number];

/**
 * Every country of a rule, including those of its continents, sorted. Callers decide that a country rule beats a continent
 * rule.
 */
export function countriesOfRule(rule: Pick<PolicyRule, 'countries' | 'continents'>): readonly string[] {
  const byContinent = rule.continents.flatMap((continent) => countriesOf(continent).map((country) => country.code));
  return [...new Set([...rule.countries, ...byContinent])].sort();
}

/** Every cluster that a policy can answer with, in any rule, as first choice or failover; sorted. */
export function clustersOfPolicy(policy: TrafficPolicy): readonly string[] {
  const answers = [...policy.spec.rules, policy.spec.default];
  const names = answers.flatMap((answer) => [...answer.clusters.map((cluster) => cluster.name), ...answer.failover]);
  return [...new Set(names)].sort();
}

/** The policy that answers for a host; a host is in one policy only. */
export function policyOfHost(platform: Pick<Platform, 'policies'>, host: string): TrafficPolicy | undefined {
  return [...platform.policies.values()].find(({ spec }) => spec.hosts.includes(host));
}

/** Every policy that can answer with a cluster, in the order of the platform. */
export function policiesOfCluster(platform: Platform, clusterName: string): readonly TrafficPolicy[] {
  return [...platform.policies.values()].filter((policy) => clustersOfPolicy(policy).includes(clusterName));
}
