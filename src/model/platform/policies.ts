import { countries, countriesOf } from '../geo/countries.ts';
import { countryOfPlace, stateOf } from '../geo/states.ts';
import type { TrafficPolicy } from '../spec/kinds.ts';
import type { Platform } from '../spec/platform.ts';

export type PolicyRule = TrafficPolicy['spec']['rules'][number];

/** What a policy says of users: which rules decide, and what users never reach. */
type OfUsers = Pick<TrafficPolicy['spec'], 'rules'> & Partial<Pick<TrafficPolicy['spec'], 'never'>>;

/**
 * Every country of a rule, including those of its continents, and its states, sorted. Callers decide that a country rule beats a continent
 * rule.
 */
export function countriesOfRule(rule: Pick<PolicyRule, 'countries' | 'continents'>): readonly string[] {
  const byContinent = rule.continents.flatMap((continent) => countriesOf(continent).map((country) => country.code));
  return [...new Set([...rule.countries, ...byContinent])].sort();
}

interface DecidingRule {
  /** Its place in `spec.rules`. */
  readonly index: number;
  /** By what the rule names the users. */
  readonly by: 'network' | 'state' | 'country' | 'continent';
}

/**
 * The places that a policy gives answers for: all countries, then the states that it names, then its networks. Users of another state have the
 * answer of their country.
 */
export function placesOfPolicy(spec: OfUsers): readonly string[] {
  return [...countries.map(({ code }) => code), ...statesOfPolicy(spec), ...networksOfPolicy(spec)];
}

/** The states that rules or `never` name, sorted. */
export function statesOfPolicy({ rules, never = [] }: OfUsers): readonly string[] {
  const named = [...rules, ...never].flatMap((entry) => entry.countries);
  return [...new Set(named)].filter((code) => stateOf(code) !== undefined).sort();
}

/** The networks that rules name, sorted. They share no addresses. */
export function networksOfPolicy({ rules }: OfUsers): readonly string[] {
  return [...new Set(rules.flatMap(({ networks = [] }) => networks))].sort();
}

/**
 * The rule that decides, by place; for a place that is not there the default does. A network beats all else, a state its country, which beats its
 * continent; of two rules for the same place the first counts. Of states `states` are there, by default those that are named.
 */
export function decidingRules(spec: OfUsers, states = statesOfPolicy(spec)): ReadonlyMap<string, DecidingRule> {
  const deciding = new Map<string, DecidingRule>();
  for (const by of ['country', 'continent'] as const) {
    for (const [index, { countries: named, continents }] of spec.rules.entries()) {
      const codes = by === 'country' ? named : countriesOfRule({ countries: [], continents });
      for (const code of codes)
        if (!deciding.has(code)) deciding.set(code, { index, by: stateOf(code) === undefined ? by : 'state' });
    }
  }
  for (const code of states) {
    const ofCountry = deciding.get(countryOfPlace(code));
    if (!deciding.has(code) && ofCountry !== undefined) deciding.set(code, ofCountry);
  }
  for (const [index, { networks = [] }] of spec.rules.entries())
    for (const network of networks) if (!deciding.has(network)) deciding.set(network, { index, by: 'network' });
  return deciding;
}

/**
 * The clusters that users never reach, by place ('' for users of unknown location), each with the first entry of `spec.never`
 * that says so. A place that may reach all is not there. What a country never reaches, its states never reach; nor does any network, because
 * its users may be in that country.
 */
export function forbiddenClusters(
  spec: OfUsers,
  states = statesOfPolicy(spec),
): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const networks = networksOfPolicy(spec);
  const forbidden = new Map<string, Map<string, number>>();
  for (const [index, entry] of (spec.never ?? []).entries()) {
    const named = countriesOfRule(entry);
    const within = states.filter((code) => named.includes(countryOfPlace(code)));
    for (const code of new Set([...named, ...within, ...networks, ...(entry.unknownLocation ? [''] : [])])) {
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
  const names = answers.flatMap((answer) => [
    ...answer.clusters.flatMap(({ name, failover = [] }) => [name, ...failover]),
    ...answer.failover,
  ]);
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

/** The rule by which users return to clusters of a policy, where it is not that they do at once: a zone may hold clusters back then. */
export function failbackOf({ spec }: TrafficPolicy): TrafficPolicy['spec']['failback'] {
  return spec.failback?.mode === 'immediate' ? undefined : spec.failback;
}
