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

interface DecidingRule {
  /** Its place in `spec.rules`. */
  readonly index: number;
  /** By what the rule names the country. */
  readonly by: 'country' | 'continent';
}

/**
 * The rule that decides, by country; for a country that is not there the default does. A country rule beats a continent rule; of
 * two rules for the same country the first counts.
 */
export function decidingRules({ rules }: Pick<TrafficPolicy['spec'], 'rules'>): ReadonlyMap<string, DecidingRule> {
  const deciding = new Map<string, DecidingRule>();
  for (const by of ['country', 'continent'] as const) {
    for (const [index, { countries, continents }] of rules.entries()) {
      const codes = by === 'country' ? countries : countriesOfRule({ countries: [], continents });
      for (const code of codes) if (!deciding.has(code)) deciding.set(code, { index, by });
    }
  }
  return deciding;
}

/**
 * The clusters that users never reach, by country ('' for users of unknown location), each with the first entry of `spec.never`
 * that says so. A country that may reach all is not there.
 */
export function forbiddenClusters({
  never,
}: Pick<TrafficPolicy['spec'], 'never'>): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const forbidden = new Map<string, Map<string, number>>();
  for (const [index, entry] of never.entries()) {
    for (const code of [...countriesOfRule(entry), ...(entry.unknownLocation ? [''] : [])]) {
      const clusters = forbidden.get(code) ?? new Map<string, number>();
      forbidden.set(code, clusters);
      for (const name of entry.clusters) if (!clusters.has(name)) clusters.set(name, index);
    }
  }
  return forbidden;
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
