import fc from 'fast-check';
import { parsePrefix } from '../../../src/model/address.ts';
import { type Continent, countries } from '../../../src/model/geo/countries.ts';
import { countryOfPlace, states } from '../../../src/model/geo/states.ts';
import { countriesOfRule, decidingRules, networksOfPolicy } from '../../../src/model/platform/policies.ts';
import type { TrafficPolicy } from '../../../src/model/spec/kinds.ts';

const names = ['amsterdam', 'berlin', 'cairo', 'delhi', 'essen'] as const;
const codes = countries.map(({ code }) => code);
const continents: Continent[] = ['AF', 'AN', 'AS', 'EU', 'NA', 'OC', 'SA'];
type Answers = Pick<TrafficPolicy['spec'], 'rules' | 'default'>;

/** The entry without the clusters that the policy answers its users with first, which a spec may not forbid. */
function withoutFirst({ rules, default: fallback }: Answers, entry: TrafficPolicy['spec']['never'][number]) {
  const deciding = decidingRules({ rules, never: [entry] });
  const named = countriesOfRule(entry);
  const within = [...deciding.keys()].filter((code) => named.includes(countryOfPlace(code)));
  const users = [...named, ...within, ...networksOfPolicy({ rules }), ...(entry.unknownLocation ? [''] : [])];
  const decided = new Set(users.map((code) => rules[deciding.get(code)?.index ?? -1] ?? fallback));
  const first = new Set(
    [...decided].flatMap(({ clusters }) => {
      const weighing = clusters.filter(({ weight }) => weight > 0);
      return (weighing.length > 0 ? weighing : clusters).map(({ name }) => name);
    }),
  );
  return { ...entry, clusters: entry.clusters.filter((name) => !first.has(name)) };
}

/** Arbitrary rules and default of a policy of these clusters, and clusters that it keeps some users from. Each of the networks is in one rule or in none. */
export function policySpecOf(clusters: readonly string[], places: string[] = codes, networks: readonly string[] = []) {
  const name = fc.constantFrom(...clusters);
  const weighted = fc
    .record({
      name,
      weight: fc.integer({ min: 0, max: 255 }),
      failover: fc.option(fc.uniqueArray(name, { minLength: 1, maxLength: 3 }), { nil: undefined, freq: 2 }),
    })
    .map(({ failover, ...cluster }) => ({
      ...cluster,
      ...(failover === undefined || cluster.weight === 0
        ? {}
        : { failover: failover.filter((one) => one !== cluster.name) }),
    }));
  const answer = {
    clusters: fc.uniqueArray(weighted, { minLength: 1, maxLength: 4, selector: (cluster) => cluster.name }),
    failover: fc.uniqueArray(name, { maxLength: 4 }),
  };
  const rule = fc.record({
    countries: fc.subarray(places, { maxLength: 30 }),
    continents: fc.subarray(continents),
    ...answer,
  });
  const keptOut = fc.record({
    clusters: fc.uniqueArray(name, { minLength: 1, maxLength: 3 }),
    countries: fc.subarray(places, { minLength: 1, maxLength: 6 }),
    continents: fc.subarray(continents, { maxLength: 1 }),
    unknownLocation: fc.boolean(),
  });
  return fc
    .record({
      rules: fc.array(rule, { maxLength: 8 }),
      default: fc.record(answer),
      never: fc.array(keptOut, { maxLength: 6 }),
      ruleOf: fc.tuple(...networks.map(() => fc.nat({ max: 5 }))),
    })
    .map(({ never, ruleOf, ...policy }) => ({ never, ...withNetworks(policy, networks, ruleOf) }))
    .map(({ never, ...answers }) => ({
      ...answers,
      never: never.map((entry) => withoutFirst(answers, entry)).filter((entry) => entry.clusters.length > 0),
    }));
}

function withNetworks(answers: Answers, networks: readonly string[], ruleOf: readonly number[]): Answers {
  const rules = answers.rules.map((rule, index) => {
    const own = networks.filter((_network, at) => ruleOf[at] === index);
    return own.length === 0 ? rule : { ...rule, networks: own };
  });
  return { ...answers, rules };
}

/** Networks that share no address, with clients in and beside each of them. */
export const someNetworks = [
  '198.51.100.0/24',
  '203.0.112.0/22',
  '100.64.0.0/10',
  '2001:db8:10::/48',
  '2001:db8:20::/44',
];

/** Two clients in each of these networks, and one beside each. */
export const clientsOfNetworks = [
  ...someNetworks.flatMap((network) => parsePrefix(network)?.network ?? []),
  '198.51.100.77',
  '203.0.115.200',
  '100.127.255.9',
  '2001:db8:10:ff::1',
  '2001:db8:2f:1::1',
  '198.51.101.1',
  '203.0.116.1',
  '100.128.0.1',
  '2001:db8:11::1',
  '2001:db8:30::1',
];

export const policySpec = policySpecOf(names);
/** The same with networks of clients. */
export const policySpecWithNetworks = policySpecOf(names, codes, someNetworks);
const withStates = [
  ...codes.filter((_code, index) => index % 3 === 0 || index === codes.indexOf('US')),
  ...states.map(({ code }) => code),
];
/** The same with states of the US as well, one of three places. The US itself is among them often. */
export const policySpecWithStates = policySpecOf(names, withStates);
/** Few countries, so that a policy with all of that has room at one name mostly. */
export const policySpecWithBoth = policySpecOf(names, withStates.slice(60), someNetworks);

/** One to three addresses for each cluster. */
export const clusterAddresses = fc.record(
  Object.fromEntries(
    names.map((name, index) => [
      name,
      fc.integer({ min: 1, max: 3 }).map((count) => Array.from({ length: count }, (_, n) => `192.0.${index}.${n + 1}`)),
    ]),
  ),
);
/** Up to two addresses of each family for each cluster; of none at all a cluster gets one. */
export const dualAddresses = fc.record(
  Object.fromEntries(
    names.map((name, index) => [
      name,
      fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 2 })).map(([v4, v6]) => {
        const four = Array.from({ length: v4 === 0 && v6 === 0 ? 1 : v4 }, (_, n) => `192.0.${index}.${n + 1}`);
        return [...four, ...Array.from({ length: v6 }, (_, n) => `2001:db8:${index + 1}::${n + 1}`)];
      }),
    ]),
  ),
);
/** Arbitrary clusters that are out of service. */
export const drainedClusters = fc.subarray([...names]);
/** Arbitrary clusters that fail their health checks. */
export const failedClusters = fc.subarray([...names]);
/** How many addresses each cluster needs to be a first choice. */
export const leastAddresses = fc.record(Object.fromEntries(names.map((name) => [name, fc.constantFrom(1, 1, 2, 3)])));
