import { answersOf, formatTiers, preferenceOf } from '../../../answers/answers.ts';
import { placesOfPolicy } from '../../../model/platform/policies.ts';
import type { TrafficPolicy } from '../../../model/spec/kinds.ts';
import type { ZoneAtProvider } from '../compile/intent.ts';
import type { ZoneReader } from '../providers/provider.ts';
import { formatCountries } from './countries-text.ts';
import { type ClusterInputs, holdsIn, type Inputs, readInputs } from './inputs.ts';
import { applyOf } from './rollback.ts';

/** What two applies in a zone were made from, where it differs. */
export interface Difference extends ZoneAtProvider {
  readonly from: number;
  readonly to: number;
  readonly policies: readonly PolicyDifference[];
  readonly clusters: readonly Field[];
}

interface PolicyDifference {
  readonly policy: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** What the policy says beside its rules. */
  readonly fields: readonly Field[];
  /** The order of clusters of users for whom it differs, drained clusters last. */
  readonly users: readonly (Sides & { readonly countries: readonly string[] })[];
}

interface Sides {
  readonly before: string;
  readonly after: string;
}

interface Field extends Sides {
  readonly field: string;
}

/** Compares two applies, each named by its generation or its plan; throws what `applyOf` and `readInputs` throw. */
export async function differenceOf(
  reader: ZoneReader,
  zone: string,
  [from, to]: readonly [string, string],
): Promise<Difference> {
  const at = { provider: reader.name, zone };
  const { records } = await reader.read(zone);
  const [before, after] = [applyOf(at, from, records), applyOf(at, to, records)];
  const [was, is] = [readInputs(zone, before, records), readInputs(zone, after, records)];
  const names = [...was.policies, ...is.policies].map(({ metadata: { name } }) => name);
  return {
    ...at,
    from: before.generation,
    to: after.generation,
    policies: [...new Set(names)].sort().flatMap((name) => policyDifference(name, was, is)),
    clusters: differing(byCluster(was), byCluster(is)),
  };
}

/** The lines of the differences, as a person reads them. */
export function renderDifferences(differences: readonly Difference[]): readonly string[] {
  return differences.flatMap(({ provider, zone, from, to, policies, clusters }) => {
    const title = `${provider} zone ${zone}, generation ${from} -> ${to}`;
    if (policies.length + clusters.length === 0) return [`${title}: nothing that decides an answer differs`];
    return [
      title,
      ...policies.flatMap(({ policy, change, fields, users }) => [
        `  policy ${policy} is ${change}`,
        ...fields.map((field) => `    ${fieldText(field)}`),
        ...users.map(({ before, after, countries: codes }) => `    ${before} -> ${after}: ${formatCountries(codes)}`),
      ]),
      ...clusters.map((field) => `  cluster ${fieldText(field)}`),
    ];
  });
}

const fieldText = ({ field, before, after }: Field): string => `${field}: ${before} -> ${after}`;

function policyDifference(name: string, was: Inputs, is: Inputs): readonly PolicyDifference[] {
  const [before, after] = [was, is].map(({ policies }) => policies.find(({ metadata }) => metadata.name === name));
  const fields = differing(fieldsOf(before), fieldsOf(after));
  const places = [...new Set([before, after].flatMap((one) => (one === undefined ? [] : placesOfPolicy(one.spec))))];
  const orders = usersOf(ordersOf(before, was, places), ordersOf(after, is, places));
  const users = [...Map.groupBy(orders, ({ key }) => key).values()];
  if (fields.length + users.length === 0) return [];
  return [
    {
      policy: name,
      change: before === undefined ? 'added' : after === undefined ? 'removed' : 'changed',
      fields,
      users: users.flatMap((some) => {
        const [first] = some;
        const codes = some.map(({ country }) => country);
        return first === undefined ? [] : [{ before: first.before, after: first.after, countries: codes }];
      }),
    },
  ];
}

const nothing = 'nothing';

function differing(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): readonly Field[] {
  return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((field) => {
    const sides = { before: before.get(field) ?? nothing, after: after.get(field) ?? nothing };
    return sides.before === sides.after ? [] : [{ field, ...sides }];
  });
}

function fieldsOf(policy: TrafficPolicy | undefined): ReadonlyMap<string, string> {
  const { rules: _rules, default: _default, ...others } = policy?.spec ?? {};
  return new Map(Object.entries(others).map(([field, value]) => [field, JSON.stringify(value)]));
}

function byCluster({ clusters }: Inputs): ReadonlyMap<string, string> {
  return new Map(clusters.map((cluster) => [cluster.name, clusterText(cluster)]));
}

function clusterText({ addresses, healthCheck, drained }: ClusterInputs): string {
  const check = Object.entries(healthCheck).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  return `${addresses.join(' and ') || 'no address'}, ${check.join(', ')}${drained ? ', drained' : ''}`;
}

/** The order of clusters for each of these places, and for users whose location nobody knows. */
function ordersOf(
  policy: TrafficPolicy | undefined,
  inputs: Inputs,
  places: readonly string[],
): ReadonlyMap<string, string> {
  if (policy === undefined) return new Map();
  const drained = inputs.clusters.flatMap((cluster) => (cluster.drained ? [cluster.name] : []));
  const answers = answersOf(policy, new Set(drained), holdsIn(inputs).get(policy.metadata.name));
  const unknown = ['unknown', formatTiers(answers.unknown.tiers)] as const;
  return new Map([...places.map((code) => [code, formatTiers(preferenceOf(answers, code).tiers)] as const), unknown]);
}

function usersOf(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly (Sides & { readonly country: string; readonly key: string })[] {
  return differing(before, after).map(({ field, ...sides }) => ({
    country: field,
    key: `${sides.before} -> ${sides.after}`,
    ...sides,
  }));
}
