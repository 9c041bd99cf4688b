import { parseAddress } from '../../../model/address.ts';
import { type Continent, continents, countryOf } from '../../../model/geo/countries.ts';
import { stateOf } from '../../../model/geo/states.ts';
import type { TrafficPolicy } from '../../../model/spec/kinds.ts';
import { scaleWeights } from '../weights.ts';
import type { AddressRecord, OctoPool } from './octodns-form.ts';

type Spec = TrafficPolicy['spec'];
type Answer = Spec['default'];
type Rule = Spec['rules'][number];

/** What one record says of users and clusters, and what of it a policy cannot say. */
export interface RecordAnswers {
  readonly rules: readonly Rule[];
  readonly default: Answer;
  /** Differences that a person should know of; the answers are the same but for these. */
  readonly notes: readonly string[];
}

/** Why a record cannot become a policy. */
export class NotPossible extends Error {
  /** What a person can do about it, where that is known. */
  readonly fix: string | undefined;

  constructor(message: string, fix?: string) {
    super(message);
    this.fix = fix;
  }
}

/** An address that belongs to no Cluster. */
export class NoEntry extends NotPossible {
  constructor(address: string) {
    super(
      `${address} is the entry address of no Cluster`,
      'write it into spec.entry of its Cluster, or leave the name to the tool that writes it now',
    );
  }
}

/** The cluster of an address of a record, as the platform's entries say. */
export type ClusterOf = (address: string) => string | undefined;

/** The answers of a record in the terms of a policy; throws NotPossible. */
export function answersOfRecord(record: AddressRecord, clusterOf: ClusterOf): RecordAnswers {
  if (record.dynamic !== undefined) return fromDynamic(record.dynamic, clusterOf);
  const base = evenly(record.values ?? (record.value === undefined ? [] : [record.value]), clusterOf);
  const rules = Object.entries(record.geo ?? {}).map(([geo, addresses]) =>
    ruleFor([geo], evenly(addresses, clusterOf)),
  );
  return { rules, default: base, notes: [] };
}

function fromDynamic({ pools, rules }: NonNullable<AddressRecord['dynamic']>, clusterOf: ClusterOf): RecordAnswers {
  const notes = new Set<string>();
  const answers = rules.map(({ pool, geos, subnets }) => {
    if (subnets.length > 0) throw new NotPossible(`a rule for client networks (${subnets.join(', ')})`);
    return { geos, answer: answerOf(pool, pools, { clusterOf, notes }) };
  });
  const catchAll = answers.find(({ geos }) => geos.length === 0);
  if (catchAll === undefined) throw new NotPossible('no rule for everyone: the last rule has geos');
  return {
    rules: answers.filter(({ geos }) => geos.length > 0).map(({ geos, answer }) => ruleFor(geos, answer)),
    default: catchAll.answer,
    notes: [...notes],
  };
}

interface Context {
  readonly clusterOf: ClusterOf;
  readonly notes: Set<string>;
}

/** The clusters of a pool by weight, then those of its fallbacks in their order. */
function answerOf(first: string, pools: Readonly<Record<string, OctoPool>>, context: Context): Answer {
  const chain = chainOf(first, pools);
  const [primary = new Map<string, number>(), ...fallbacks] = chain.map((name) =>
    weightsOf(name, pools[name], context),
  );
  if (primary.size === 0) throw new NotPossible(`pool ${first} has no address with a status other than down`);
  const seen = new Set(primary.keys());
  const failover: string[] = [];
  for (const [index, weights] of fallbacks.entries()) {
    const fresh = [...weights].filter(([cluster]) => !seen.has(cluster)).sort(([, a], [, b]) => b - a);
    if (fresh.length > 1)
      context.notes.add(
        `pool ${chain[index + 1]}: as a fallback its clusters are tried one after the other, not by weight`,
      );
    for (const [cluster] of fresh) {
      seen.add(cluster);
      failover.push(cluster);
    }
  }
  const { clusters, isExact } = weighted(primary);
  if (!isExact)
    context.notes.add(`pool ${first}: the shares differ slightly, weights of a policy go up to ${mostWeight}`);
  return { clusters, failover };
}

/** Clusters with weights that a policy can say, in the proportions of these shares. */
export function weighted(shares: ReadonlyMap<string, number>): {
  readonly clusters: Answer['clusters'];
  readonly isExact: boolean;
} {
  const { weights, isExact } = scaleWeights([...shares.values()], mostWeight);
  return { clusters: [...shares.keys()].map((name, index) => ({ name, weight: weights[index] ?? 1 })), isExact };
}

/** The greatest weight of a cluster in a policy. */
const mostWeight = 255;

function chainOf(first: string, pools: Readonly<Record<string, OctoPool>>): readonly string[] {
  const chain: string[] = [];
  for (let name: string | null | undefined = first; typeof name === 'string'; name = pools[name]?.fallback) {
    if (pools[name] === undefined) throw new NotPossible(`there is no pool ${name}`);
    if (chain.includes(name)) throw new NotPossible(`the fallbacks of pool ${first} lead back to ${name}`);
    chain.push(name);
  }
  return chain;
}

function weightsOf(
  name: string,
  pool: OctoPool | undefined,
  { clusterOf, notes }: Context,
): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const { value, weight, status } of pool?.values ?? []) {
    if (status === 'down') continue;
    if (status === 'up')
      notes.add(`pool ${name}: ${value} is never taken out (status up); the policy obeys its health`);
    const cluster = knownCluster(value, clusterOf);
    weights.set(cluster, (weights.get(cluster) ?? 0) + weight);
  }
  return weights;
}

function evenly(addresses: readonly string[], clusterOf: ClusterOf): Answer {
  const names = new Set(addresses.map((address) => knownCluster(address, clusterOf)));
  if (names.size === 0) throw new NotPossible('it has no address');
  return { clusters: [...names].map((name) => ({ name, weight: 100 })), failover: [] };
}

/** The cluster of an address; throws NotPossible when it is nobody's. */
export function knownCluster(address: string, clusterOf: ClusterOf): string {
  const parsed = parseAddress(address);
  const cluster = parsed === undefined ? undefined : clusterOf(parsed.text);
  if (cluster === undefined) throw new NoEntry(address);
  return cluster;
}

/** A rule for octoDNS's codes: `EU`, `EU-FR`, `NA-US-CA`. */
function ruleFor(geos: readonly string[], answer: Answer): Rule {
  const countries: Rule['countries'] = [];
  const wholes: Continent[] = [];
  for (const geo of geos) {
    const [continent = '', country, province] = geo.split('-');
    const state = `${country}-${province}`;
    if (province !== undefined && stateOf(state) === undefined)
      throw new NotPossible(`${geo}: of the parts of countries a policy knows only the states of the US`);
    if (province !== undefined) {
      countries.push(state);
    } else if (country === undefined) {
      const whole = continents.find((code) => code === continent);
      if (whole === undefined) throw new NotPossible(`${geo} is no continent`);
      wholes.push(whole);
    } else {
      if (countryOf(country) === undefined) throw new NotPossible(`${geo} is no country that answers can be given for`);
      countries.push(country);
    }
  }
  return { countries, continents: wholes, ...answer };
}
