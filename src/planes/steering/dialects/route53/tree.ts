import { formatTiers, preferenceOf, type Tier } from '../../../../answers/answers.ts';
import {
  compareRecords,
  formatLocation,
  formatRecord,
  type Location,
  type RecordSet,
} from '../../../../answers/record.ts';
import { continentOf, countriesOf } from '../../../../model/geo/countries.ts';
import { isNetwork } from '../../../../model/geo/networks.ts';
import { countryOfPlace, stateOf } from '../../../../model/geo/states.ts';
import { compareText, withoutUndefined } from '../../../../model/values.ts';
import { type Collection, type CollectionLocation, elsewhere, networkGroups } from '../../compile/collections.ts';
import type { CountingCheck } from '../../compile/counting.ts';
import {
  type Addresses,
  type AddressType,
  addressTypes,
  entriesOfType,
  type HealthCheck,
} from '../../compile/entries.ts';
import { noAddress, SteeringError, type SteeringNotice } from '../../reasons.ts';
import { contentName } from '../../records/hash.ts';
import { ownedName } from '../../records/registry.ts';
import type { Compiled, CompileInput } from '../dialect.ts';
import { servable } from '../servable.ts';
import { route53Limits } from './limits.ts';
import { type ContinentCover, coverOf, flatten, flattenContinent, locationOf, placesApart } from './locations.ts';
import { type Nesting, nestingOf } from './nesting.ts';
import { isCounted, lostBetween, pack, recordWeight, type Share, type Slot } from './slots.ts';

/**
 * Compiles answers into records: on each host, where the policy names networks, a group of these, whose record for everybody else leads to the rest; then a geolocation group, aliases that ignore health (so that no user ever climbs
 * to another region's answer), then failover groups, then weighted leaves with one health check for each address. Names below
 * `_tideline.<zone>` carry a hash of their content: the content of a name never changes, so a change of policy creates new
 * names, swaps the host's aliases and deletes the old names.
 */
export function compileTree(input: CompileInput): Compiled {
  const builders = addressTypes
    .map((type) => ({ type, addresses: entriesOfType(input.entries, type) }))
    .filter(({ addresses }) => addresses.size > 0)
    .map(({ type, addresses }) => new TreeBuilder(input, type, addresses));
  if (builders.length === 0) throw noAddress(input.answers.policy);
  for (const builder of builders) builder.build();
  const records = builders.flatMap((builder) => [...builder.records.values()]).sort(compareRecords);
  const checks = new Map(builders.flatMap((builder) => [...builder.checks]));
  const counting = new Map(builders.flatMap((builder) => [...builder.counting]));
  const notices = new Map(
    builders.flatMap((builder) => noticesOf(builder, builders)).map((notice) => [notice.message, notice]),
  );
  return {
    records,
    ...withoutUndefined({ collection: networkGroups(input.answers.byCountry)?.collection }),
    healthChecks: [...checks.values()].sort((a, b) => compareText(a.key, b.key)),
    countingChecks: [...counting.values()].sort((a, b) => compareText(a.key, b.key)),
    effective: new Map(builders.map((builder) => [builder.type, builder.effective])),
    uncounted: new Map(builders.map((builder) => [builder.type, builder.uncounted])),
    notices: [...notices.values()],
  };
}

/** The notices of a builder; what is cut of one address family and not of the other names the family. */
function noticesOf({ type, notices }: TreeBuilder, builders: readonly TreeBuilder[]): readonly SteeringNotice[] {
  const isSaidByAll = ({ message }: SteeringNotice): boolean =>
    builders.every((builder) => builder.notices.some((other) => other.message === message));
  return notices.map((notice) =>
    notice.reason !== 'FailoverCut' || isSaidByAll(notice)
      ? notice
      : { ...notice, message: `over ${type === 'A' ? 'IPv4' : 'IPv6'}, ${notice.message}` },
  );
}

const mostNamed = 6;

/** The identifier of a geolocation record. */
export function locationText(location: Location): string {
  return location === '*' ? 'everywhere else' : formatLocation(location);
}

/** The identifier of a record for networks, which no other location of its collection has. */
function networksText({ networks: [first = '', ...others] }: CollectionLocation): string {
  return others.length === 0 ? first : `${first} and ${others.length} more`;
}

/** The name that stands for a list of tiers, and the tiers that it really stands for. */
interface Node {
  readonly name: string;
  readonly effective: readonly Tier[];
  /** What is cut of the tiers, said without the countries that have them. */
  readonly cuts: readonly string[];
}

/** Slots that fit below a record of the host, and below a record of a continent's group. */
const whole = 2 ** (route53Limits.levels - 2);
const deeper = 2 ** (route53Limits.levels - 3);
const manyLocations = `more than ${route53Limits.recordsPerName} locations`;

/** Builds the records of one address type. */
class TreeBuilder {
  readonly type: AddressType;
  readonly records = new Map<string, RecordSet>();
  readonly checks = new Map<string, HealthCheck>();
  readonly counting = new Map<string, CountingCheck>();
  readonly uncounted = new Set<string>();
  readonly effective = new Map<string, readonly Tier[]>();
  readonly notices: SteeringNotice[] = [];
  readonly #input: CompileInput;
  readonly #addresses: Addresses;
  /** By capacity and text of the tiers. */
  readonly #nodes = new Map<string, Node>();

  constructor(input: CompileInput, type: AddressType, addresses: Addresses) {
    this.type = type;
    this.#input = input;
    this.#addresses = addresses;
  }

  build(): void {
    const tiersByKey = new Map<string, readonly Tier[]>();
    const keyByTiers = new Map<readonly Tier[], string>();
    const keyOf = (country: string | undefined): string => {
      const wanted = preferenceOf(this.#input.answers, country).tiers;
      const known = keyByTiers.get(wanted);
      if (known !== undefined) return known;
      const tiers = servable(wanted, this.type, this.#addresses);
      const key = formatTiers(tiers);
      tiersByKey.set(key, tiers);
      keyByTiers.set(wanted, key);
      return key;
    };
    const keys = new Map([...this.#input.answers.byCountry.keys()].map((code) => [code, keyOf(code)]));
    const states = [...keys.keys()].filter((code) => stateOf(code) !== undefined);
    const star = keyOf(undefined);
    const cover = coverOf((code) => keys.get(code) ?? star, star, states);
    const tiers = (key: string): readonly Tier[] => tiersByKey.get(key) ?? [];
    const losses = new Map<string, number>();
    const lossOf = (country: string): number => {
      const key = keys.get(country) ?? star;
      const loss = losses.get(key) ?? lostBetween(tiers(key), this.#addresses, whole, deeper);
      losses.set(key, loss);
      return loss;
    };
    const isCountedFor = (country: string): boolean => isCounted(tiers(keys.get(country) ?? star)[0], this.#addresses);
    // A first choice that is left too late is less of a loss than a choice.
    const lossWithCount = (country: string): number => Math.max(lossOf(country), isCountedFor(country) ? 0.5 : 0);
    const networks = networkGroups(this.#input.answers.byCountry);
    // A group of networks stands above that of locations, where there are several of these.
    const isBelow = networks !== undefined && flatten(cover).length > 1;
    if (isBelow) this.#refuseCrowd(flatten(cover).length);
    const nesting = nestingOf(cover, route53Limits.recordsPerName, lossWithCount);
    const top = isBelow ? deeper : whole;
    const nodeOf =
      (capacity: number) =>
      (key: string): string =>
        this.#addNode(key, tiers(key), capacity).name;
    const locations = [
      ...cover.continents.flatMap((part) =>
        nesting.nested.has(part.continent)
          ? this.#nest({ ...part, base: part.base ?? cover.star }, nesting.kept, keys, nodeOf)
          : flattenContinent(part).map(([location, key]) => [location, nodeOf(top)(key)] as const),
      ),
      ['*', nodeOf(top)(star)] as const,
    ];
    if (networks === undefined) for (const host of this.#input.hosts) this.#addGeo(host, locations);
    else {
      const rest = isBelow ? this.#addBelow(locations) : nodeOf(whole)(star);
      const targetOf = ({ networks: [first = ''] }: CollectionLocation): string =>
        nodeOf(whole)(keys.get(first) ?? star);
      this.#addNetworks(networks.collection, targetOf, rest);
    }
    const isDeeper = (code: string): boolean => {
      if (isNetwork(code)) return false;
      if (isBelow) return true;
      const country = countryOfPlace(code);
      const continent = continentOf(country);
      return continent !== undefined && nesting.nested.has(continent) && !nesting.kept.has(country);
    };
    const codesByCut = new Map<string, readonly string[]>();
    for (const [code, key] of [...keys, ['', star] as const]) {
      const node = this.#addNode(key, tiers(key), isDeeper(code) ? deeper : whole);
      this.effective.set(code, node.effective);
      for (const cut of node.cuts) codesByCut.set(cut, [...(codesByCut.get(cut) ?? []), code]);
    }
    this.#tellCuts(codesByCut);
    const deep = [...keys.keys()].filter(isDeeper);
    const why = isBelow ? 'networks of clients take a level of the tree' : manyLocations;
    this.#tellDeeper(
      deep.filter((code) => lossOf(code) > 0),
      why,
    );
    this.#tellUncounted(deep.filter(isCountedFor), why);
  }

  /** A second geolocation group for a continent: exact for any policy, one level deeper. Some countries stay on the host. */
  #nest(
    part: ContinentCover,
    kept: Nesting['kept'],
    keys: ReadonlyMap<string, string>,
    nodeOf: (capacity: number) => (key: string) => string,
  ): readonly (readonly [Location, string])[] {
    const exceptions = new Map([...part.exceptions].filter(([code]) => !kept.has(countryOfPlace(code))));
    const targets = flattenContinent({ ...part, exceptions }).map(
      ([location, key]) => [location, nodeOf(deeper)(key)] as const,
    );
    const name = this.#addBelow(targets);
    const own = countriesOf(part.continent)
      .filter(({ code }) => kept.has(code))
      .flatMap(({ code }) => placesApart(part, code))
      .map((code) => [locationOf(code), nodeOf(whole)(keys.get(code) ?? '')] as const);
    return [[{ continent: part.continent }, name], ...own];
  }

  /** A geolocation group with a name of its own. */
  #addBelow(targets: readonly (readonly [Location, string])[]): string {
    const name = this.#nodeName(
      'geo',
      targets.map(([location, target]) => JSON.stringify([location, target])),
    );
    this.#addGeo(name, targets);
    return name;
  }

  /** Below a group of networks there is no level left for groups of continents. */
  #refuseCrowd(locations: number): void {
    if (locations <= route53Limits.recordsPerName) return;
    throw new SteeringError(
      'TooManyRecords',
      `policy ${this.#input.answers.policy} names networks of clients and needs ${locations} locations, of which Route 53 takes ${route53Limits.recordsPerName} at one name, and networks take the level of the tree that more would need; let more countries share their order of clusters, or name no networks`,
    );
  }

  #addNetworks(
    { key: collection, locations }: Collection,
    targetOf: (location: CollectionLocation) => string,
    rest: string,
  ): void {
    const parts = [
      ...locations.map((location) => ({ ...location, id: networksText(location), target: targetOf(location) })),
      { name: elsewhere, networks: [], id: locationText('*'), target: rest },
    ];
    for (const name of this.#input.hosts)
      for (const { name: location, networks, id, target } of parts)
        this.#add({
          name,
          type: this.type,
          setIdentifier: id,
          routing: { kind: 'networks', collection, location, networks },
          target: { kind: 'alias', name: target, evaluateHealth: false },
        });
  }

  #tellCuts(codesByCut: ReadonlyMap<string, readonly string[]>): void {
    for (const [cut, codes] of codesByCut) {
      const places = codes.map((code) => (code === '' ? 'everywhere else' : code));
      const few =
        places.length > mostNamed ? [...places.slice(0, mostNamed), `${places.length - mostNamed} more`] : places;
      this.notices.push({ reason: 'FailoverCut', message: `for ${few.join(', ')}: ${cut}` });
    }
  }

  #tellDeeper(lost: readonly string[], why: string): void {
    if (lost.length === 0) return;
    const message = `${why}: there is room for two choices only for ${lost.join(' ')}`;
    this.notices.push({ reason: 'FailoverCut', message });
  }

  #tellUncounted(codes: readonly string[], why: string): void {
    if (codes.length === 0) return;
    for (const code of codes) this.uncounted.add(code);
    const message = `${why}: a first choice is left only when none of its addresses answers, whatever healthCheck.minHealthyAddresses says, for ${codes.join(' ')}`;
    this.notices.push({ reason: 'PartialHealthCut', message });
  }

  #addNode(key: string, tiers: readonly Tier[], capacity: number): Node {
    const known = this.#nodes.get(`${capacity} ${key}`);
    if (known !== undefined) return known;
    const { shares, slots, effective, notices } = pack(tiers, this.#addresses, capacity);
    const others = notices.filter(({ reason }) => reason !== 'FailoverCut');
    this.notices.push(...others.map((notice) => ({ ...notice, message: `${key}: ${notice.message}` })));
    const cuts = notices.filter(({ reason }) => reason === 'FailoverCut').map(({ message }) => message);
    const name = shares === undefined ? this.#addSlots(slots) : this.#addShares(shares, slots);
    const node = { name, effective, cuts };
    this.#nodes.set(`${capacity} ${key}`, node);
    return node;
  }

  #addSlots(slots: readonly Slot[]): string {
    const [first, ...others] = slots;
    if (first !== undefined && others.length === 0) return this.#addWeighted(first);
    const half = Math.ceil(slots.length / 2);
    const branches = { PRIMARY: this.#addSlots(slots.slice(0, half)), SECONDARY: this.#addSlots(slots.slice(half)) };
    const name = this.#nodeName('failover', [branches.PRIMARY, branches.SECONDARY]);
    for (const [role, target] of [
      ['PRIMARY', branches.PRIMARY],
      ['SECONDARY', branches.SECONDARY],
    ] as const) {
      this.#add({
        name,
        type: this.type,
        setIdentifier: role.toLowerCase(),
        routing: { kind: 'failover', role },
        target: { kind: 'alias', name: target, evaluateHealth: true },
      });
    }
    return name;
  }

  /**
   * Aliases by weight to the group of each share; the alias of weight 0 counts when all of these groups are unhealthy. An alias with a check that
   * counts is unhealthy as well when that is.
   */
  #addShares(shares: readonly Share[], slots: readonly Slot[]): string {
    const targets = [
      ...shares.map(({ weight, slot, counting }) => ({ weight, target: this.#addWeighted(slot), counting })),
      ...slots.map((slot) => ({ weight: 0, target: this.#addWeighted(slot), counting: undefined })),
    ];
    const texts = targets.map(({ weight, target, counting }) =>
      [weight, target, ...(counting === undefined ? [] : [counting.key])].join(' '),
    );
    const name = this.#nodeName('shares', texts);
    for (const { weight, target, counting } of targets) {
      if (counting !== undefined) this.counting.set(counting.key, counting);
      this.#add({
        name,
        type: this.type,
        setIdentifier: target.replace(/\..*/, ''),
        routing: { kind: 'weighted', weight },
        target: { kind: 'alias', name: target, evaluateHealth: true },
        ...(counting === undefined ? {} : { healthCheck: counting.key }),
      });
    }
    return name;
  }

  #addWeighted(slot: Slot): string {
    const leaves = [
      ...slot.main.flatMap((cluster) => this.#leaves(cluster.name, recordWeight(cluster, this.#addresses))),
      ...slot.standby.flatMap((cluster) => this.#leaves(cluster.name, 0)),
    ];
    const name = this.#nodeName('mix', leaves.map(formatRecord));
    for (const leaf of leaves) this.#add({ ...leaf, name });
    if (leaves.length > route53Limits.recordsPerName) {
      throw new SteeringError('TooManyRecords', `${leaves.length} addresses would share the name ${name}`);
    }
    return name;
  }

  #leaves(cluster: string, weight: number): readonly RecordSet[] {
    return (this.#addresses.get(cluster) ?? []).map((check) => {
      this.checks.set(check.key, check);
      return {
        name: '',
        type: this.type,
        setIdentifier: `${cluster} ${check.address}`,
        routing: { kind: 'weighted', weight },
        target: { kind: 'values', ttlSeconds: this.#input.ttlSeconds, values: [check.address] },
        healthCheck: check.key,
      };
    });
  }

  #addGeo(name: string, locations: readonly (readonly [Location, string])[]): void {
    for (const [location, target] of locations) {
      this.#add({
        name,
        type: this.type,
        setIdentifier: locationText(location),
        routing: { kind: 'geo', location },
        target: { kind: 'alias', name: target, evaluateHealth: false },
      });
    }
  }

  #add(record: RecordSet): void {
    this.records.set(`${record.name} ${record.setIdentifier ?? ''}`, record);
  }

  #nodeName(kind: string, content: readonly string[]): string {
    const { answers, zone } = this.#input;
    return ownedName(zone, `${kind}-${contentName([this.type, ...content].join('\n'))}`, answers.policy);
  }
}
