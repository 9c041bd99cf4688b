import { answersNow, formatTiers, neverGroups, type Preference, type Tier } from '../../../answers/answers.ts';
import { healthPathOf } from '../../../model/contract.ts';
import { continentOf, countryOf } from '../../../model/geo/countries.ts';
import { isNetwork } from '../../../model/geo/networks.ts';
import { countryOfPlace, stateOf } from '../../../model/geo/states.ts';
import { drainsOfCluster } from '../../../model/platform/drains.ts';
import { clustersOfPolicy } from '../../../model/platform/policies.ts';
import type { TrafficPolicy } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { compareText } from '../../../model/values.ts';
import { type Addresses, type AddressType, addressTypes, entriesOf, entriesOfType } from '../compile/entries.ts';
import { type Scaled, scaleWeights } from '../weights.ts';

/**
 * Policies as records of octoDNS, for DNS providers that Tideline does not write itself. Written from octoDNS's documentation of dynamic records
 * and its validation (1.x). What such a record cannot say is refused, host by host, or noted.
 */
export interface ExportedZone {
  readonly zone: string;
  /** By name relative to the zone, sorted; empty for the zone itself. */
  readonly records: Readonly<Record<string, OctoRecord | readonly OctoRecord[]>>;
  readonly findings: readonly ExportFinding[];
}

export interface ExportFinding {
  readonly host: string;
  readonly policy: string;
  /** `written`: the zone has it; `refused`: it does not, and `what` says why. */
  readonly outcome: 'written' | 'refused';
  readonly what: string;
  readonly notes: readonly string[];
}

export interface OctoRecord {
  readonly type: AddressType;
  readonly ttl: number;
  /** What a provider answers that knows no dynamic records, or when no pool is healthy. */
  readonly values: readonly string[];
  readonly dynamic: {
    readonly pools: Readonly<Record<string, Pool>>;
    readonly rules: readonly {
      readonly subnets?: readonly string[];
      readonly geos?: readonly string[];
      readonly pool: string;
    }[];
  };
  readonly octodns: {
    readonly healthcheck: { readonly protocol: string; readonly port: number; readonly path: string };
  };
}

interface Pool {
  readonly fallback?: string;
  readonly values: readonly { readonly value: string; readonly weight: number }[];
}

/** Why a policy cannot become records of octoDNS. */
class NotPossible extends Error {}

/** The zones of the policies, sorted, with the drains that are in force at `nowMs` (milliseconds since the epoch). Writes and asks nothing. */
export function exportZones(platform: Platform, nowMs: number): readonly ExportedZone[] {
  const byZone = Map.groupBy(platform.policies.values(), ({ spec }) => spec.dns.zone);
  return [...byZone]
    .sort(([a], [b]) => compareText(a, b))
    .map(([zone, policies]) => {
      const exported = policies.map((policy) => exportPolicy(platform, policy, nowMs));
      const records = exported.flatMap((one) => one.records).sort(([a], [b]) => compareText(a, b));
      const findings = exported.flatMap((one) => one.findings).sort((a, b) => compareText(a.host, b.host));
      return { zone, records: Object.fromEntries(records), findings };
    });
}

type Exported = Pick<ExportedZone, 'findings'> & {
  readonly records: readonly (readonly [string, OctoRecord | readonly OctoRecord[]])[];
};

function exportPolicy(platform: Platform, policy: TrafficPolicy, nowMs: number): Exported {
  const { hosts, dns } = policy.spec;
  const finding = (outcome: ExportFinding['outcome'], what: string, notes: readonly string[]): Exported['findings'] =>
    hosts.map((host) => ({ host, policy: policy.metadata.name, outcome, what, notes }));
  try {
    const { records, notes } = recordsOf(platform, policy, nowMs);
    const [only] = records;
    const value = records.length === 1 && only !== undefined ? only : records;
    const what = records.map(({ type }) => type).join(' and ');
    return {
      records: hosts.map((host) => [relativeTo(dns.zone, host), value] as const),
      findings: finding('written', what, notes),
    };
  } catch (error) {
    if (!(error instanceof NotPossible)) throw error;
    return { records: [], findings: finding('refused', error.message, []) };
  }
}

const relativeTo = (zone: string, host: string): string => (host === zone ? '' : host.slice(0, -zone.length - 1));

function recordsOf(
  platform: Platform,
  policy: TrafficPolicy,
  nowMs: number,
): { readonly records: readonly OctoRecord[]; readonly notes: readonly string[] } {
  const answers = answersNow(platform, policy, nowMs);
  const [kept] = neverGroups(answers);
  if (kept !== undefined)
    throw new NotPossible(
      `it keeps users from ${kept.clusters.join(', ')} (never), and octoDNS has one answer for all users when no pool is healthy`,
    );
  const preferences = [...answers.byCountry.values(), answers.unknown];
  if (preferences.some(({ tiers }) => tiers.flat().some(({ failover }) => failover !== undefined)))
    throw new NotPossible(
      'a cluster has a failover for its own share, and a pool of octoDNS has one fallback for all of its values',
    );
  const entries = entriesOf(platform, policy);
  const healthcheck = healthCheckOf(platform, policy);
  const notes = new Set<string>();
  const drained = clustersOfPolicy(policy).filter((name) => drainsOfCluster(platform, name, nowMs).length > 0);
  if (drained.length > 0)
    notes.add(`drained now, and so last of all: ${drained.join(', ')}; export again when it ends`);
  const records = addressTypes.flatMap((type) => {
    const addresses = entriesOfType(entries, type);
    if (addresses.size === 0) return [];
    const dynamic = dynamicOf(answers.byCountry, answers.unknown, addresses, notes);
    const values = dynamic.pools[dynamic.rules.at(-1)?.pool ?? '']?.values.map(({ value }) => value) ?? [];
    return [{ type, ttl: policy.spec.ttlSeconds, values, dynamic, octodns: { healthcheck } }];
  });
  if (records.length === 0) throw new NotPossible('none of its clusters has a public entry address');
  return { records, notes: [...notes] };
}

/** octoDNS has one health check for all values of a record. */
function healthCheckOf(platform: Platform, policy: TrafficPolicy): OctoRecord['octodns']['healthcheck'] {
  const checks = clustersOfPolicy(policy).flatMap((name) => platform.clusters.get(name)?.spec.healthCheck ?? []);
  const texts = new Set(checks.map(({ protocol, port }) => `${protocol} ${port}`));
  const [check] = checks;
  if (checks.some(({ searchString }) => searchString !== undefined))
    throw new NotPossible('its health checks search the answer for a text, and those of octoDNS do not');
  if (checks.some(({ minHealthyAddresses = 1 }) => minHealthyAddresses > 1))
    throw new NotPossible(
      'a cluster must have several addresses that answer (healthCheck.minHealthyAddresses), and a pool of octoDNS is used while one of its values does',
    );
  if (check === undefined || texts.size > 1)
    throw new NotPossible(
      `its clusters are checked in different ways (${[...texts].sort().join(', ')}), and octoDNS has one health check a record`,
    );
  return { protocol: check.protocol, port: check.port, path: healthPathOf(policy.metadata.name) };
}

/**
 * A rule for each group of networks, one for each group of countries and states with answers of their own, and one for everybody else. octoDNS
 * takes networks, of which the rules stand first, before the most specific country or state.
 */
function dynamicOf(
  byCountry: ReadonlyMap<string, Preference>,
  unknown: Preference,
  addresses: Addresses,
  notes: Set<string>,
): OctoRecord['dynamic'] {
  const pools = new Pools(addresses, notes);
  const rest = pools.serving(unknown.tiers);
  const textOf = ({ tiers }: Preference): string => formatTiers(pools.serving(tiers));
  const restText = formatTiers(rest);
  // A state is said only where its country says something else; one that is answered as everybody then needs a rule of its own.
  const isSaid = ([code, preference]: readonly [string, Preference]): boolean => {
    const country = byCountry.get(countryOfPlace(code)) ?? unknown;
    return stateOf(code) === undefined ? textOf(preference) !== restText : textOf(preference) !== textOf(country);
  };
  const [networks, others] = [true, false].map((wanted) =>
    [...byCountry].filter(([code]) => isNetwork(code) === wanted),
  );
  const groups = Map.groupBy((others ?? []).filter(isSaid), ([, preference]) => textOf(preference));
  const rules: { subnets?: readonly string[]; geos?: readonly string[]; pool: string }[] = [];
  if ((networks ?? []).length > 0)
    notes.add(
      'networks are rules with subnets: by providers of octoDNS that know none they are answered with their country',
    );
  for (const members of Map.groupBy(networks ?? [], ([, preference]) => textOf(preference)).values()) {
    const subnets = members.map(([network]) => network).sort();
    rules.push({ subnets, pool: pools.chain(pools.serving(members[0]?.[1].tiers ?? []), 'networks') });
  }
  for (const members of groups.values()) {
    const tiers = pools.serving(members[0]?.[1].tiers ?? []);
    const geos = members.flatMap(([code]) => geoOf(code) ?? []);
    const missing = members.filter(([code]) => geoOf(code) === undefined).map(([code]) => code);
    if (missing.length > 0) notes.add(`octoDNS does not know ${missing.join(', ')}: answered as everybody else`);
    if (geos.length > 0) rules.push({ geos: geos.sort(), pool: pools.chain(tiers) });
  }
  rules.push({ pool: pools.chain(rest) });
  const all = pools.all();
  if (Object.values(all).some(({ fallback }) => fallback !== undefined)) notes.add(longChains);
  return { pools: all, rules };
}

const longChains =
  'fallbacks of pools: octoDNS writes them to Route 53 through more names than the three that are documented; its authors report that Route 53 takes them';

/** octoDNS's continent of a country, where it is not that of Route 53; undefined where it knows no such country. */
const otherContinent: Readonly<Record<string, string | undefined>> = {
  CY: 'AS',
  GS: 'SA',
  TL: 'AS',
  TR: 'AS',
  XK: undefined,
};

function geoOf(code: string): string | undefined {
  if (stateOf(code) !== undefined) return `NA-${code}`;
  if (countryOf(code) === undefined) return undefined;
  const continent = code in otherContinent ? otherContinent[code] : continentOf(code);
  return continent === undefined ? undefined : `${continent}-${code}`;
}

/** octoDNS's greatest weight of a value. */
const mostWeight = 100;

/** The pools of a record: one for each list of tiers, whose fallback is the pool of the list without its first. */
class Pools {
  readonly #addresses: Addresses;
  readonly #notes: Set<string>;
  readonly #names = new Map<string, string>();
  readonly #pools = new Map<string, Pool>();

  constructor(addresses: Addresses, notes: Set<string>) {
    this.#addresses = addresses;
    this.#notes = notes;
  }

  all(): OctoRecord['dynamic']['pools'] {
    return Object.fromEntries([...this.#pools].sort(([a], [b]) => compareText(a, b)));
  }

  /** The tiers with only the clusters that have an address. */
  serving(tiers: readonly Tier[]): readonly Tier[] {
    return tiers.map((tier) => tier.filter(({ name }) => this.#addresses.has(name))).filter((tier) => tier.length > 0);
  }

  /** The name of the pool of these tiers, which is made when it is not there. octoDNS lets no rule with countries share one with a rule of networks. */
  chain(tiers: readonly Tier[], use: 'countries' | 'networks' = 'countries'): string {
    const [first = [], ...others] = tiers;
    const text = `${use} ${formatTiers(tiers)}`;
    const known = this.#names.get(text);
    if (known !== undefined) return known;
    const name = this.#freeName(tiers.map((tier) => tier.map((cluster) => cluster.name).join('-')).join('--'));
    this.#names.set(text, name);
    const fallback = others.length === 0 ? {} : { fallback: this.chain(others) };
    this.#pools.set(name, { ...fallback, values: this.#valuesOf(first) });
    return name;
  }

  /** Providers make labels of pool names, with a prefix and a suffix of octoDNS. */
  #freeName(base: string): string {
    const short = base.slice(0, 40).replace(/-+$/, '');
    const taken = new Set(this.#names.values());
    for (let count = 1; ; count++) {
      const name = count === 1 ? short : `${short}-${count}`;
      if (!taken.has(name)) return name;
    }
  }

  /** A cluster's weight is shared by its addresses. */
  #valuesOf(tier: Tier): Pool['values'] {
    const shares = tier.flatMap(({ name, weight }) => {
      const checks = this.#addresses.get(name) ?? [];
      return checks.map(({ address }) => ({ value: address, weight: weight / checks.length }));
    });
    const scaled: Scaled = scaleWeights(
      shares.map(({ weight }) => weight),
      mostWeight,
    );
    if (!scaled.isExact)
      this.#notes.add(
        `${tier.map(({ name }) => name).join(', ')}: the shares differ slightly, octoDNS's weights go from 1 to 100`,
      );
    return shares.map(({ value }, index) => ({ value, weight: scaled.weights[index] ?? 1 }));
  }
}
