import { formatTiers, preferenceOf, type Tier } from '../../../../answers/answers.ts';
import { compareRecords, formatRecord, type Location, type RecordSet } from '../../../../answers/record.ts';
import { countries } from '../../../../model/geo/countries.ts';
import { compareText } from '../../../../model/values.ts';
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
import { route53Limits } from './limits.ts';
import { type Cover, coverOf, flatten, flattenContinent } from './locations.ts';
import { pack, recordWeight, type Slot } from './slots.ts';

/**
 * Compiles answers into records: a geolocation group on each host, aliases that ignore health (so that no user ever climbs
 * to another region's answer), then failover groups, then weighted leaves with one health check for each address. Names below
 * `_tideline.<zone>` carry a hash of their content: the content of a name never changes, so a change of policy creates new
 * names, swaps the host's aliases and deletes the old names.
 */
export function compileTree(input: CompileInput): Compiled {
  const builders = addressTypes
    .map((type) => ({ type, addresses: entriesOfType(input.entries, type) }))
    .filter(({ addresses }) => addresses.size > 0)
    .map(({ type, addresses }) => new TreeBuilder(input, type, addresses));
  if (builders.length === 0) {
    throw noAddress(input.answers.policy);
  }
  for (const builder of builders) builder.build();
  const records = builders.flatMap((builder) => [...builder.records.values()]).sort(compareRecords);
  const checks = new Map(builders.flatMap((builder) => [...builder.checks]));
  const notices = new Map(builders.flatMap((builder) => builder.notices).map((notice) => [notice.message, notice]));
  return {
    records,
    healthChecks: [...checks.values()].sort((a, b) => compareText(a.key, b.key)),
    effective: new Map(builders.map((builder) => [builder.type, builder.effective])),
    notices: [...notices.values()],
  };
}

/** Builds the records of one address type. */
class TreeBuilder {
  readonly type: AddressType;
  readonly records = new Map<string, RecordSet>();
  readonly checks = new Map<string, HealthCheck>();
  readonly effective = new Map<string, readonly Tier[]>();
  readonly notices: SteeringNotice[] = [];
  readonly #input: CompileInput;
  readonly #addresses: Addresses;
  /** Name of the node that stands for a tier list, by its text. */
  readonly #nodes = new Map<string, { readonly name: string; readonly effective: readonly Tier[] }>();

  constructor(input: CompileInput, type: AddressType, addresses: Addresses) {
    this.type = type;
    this.#input = input;
    this.#addresses = addresses;
  }

  build(): void {
    const tiersByKey = new Map<string, readonly Tier[]>();
    const keyOf = (country: string | undefined): string => {
      const tiers = this.#servable(preferenceOf(this.#input.answers, country).tiers);
      const key = formatTiers(tiers);
      tiersByKey.set(key, tiers);
      return key;
    };
    const keys = new Map(countries.map(({ code }) => [code, keyOf(code)]));
    const star = keyOf(undefined);
    const cover = coverOf((code) => keys.get(code) ?? star, star);
    const flat = flatten(cover);
    const nested = flat.length > route53Limits.recordsPerName;
    const capacity = 2 ** (route53Limits.levels - (nested ? 3 : 2));
    const node = (key: string): string => this.#addNode(key, tiersByKey.get(key) ?? [], capacity);
    const locations = nested
      ? this.#addContinentGroups(cover, node)
      : flat.map(([location, key]) => [location, node(key)] as const);
    for (const host of this.#input.hosts) this.#addGeo(host, locations);
    for (const [code, key] of [...keys, ['', star] as const]) {
      this.effective.set(code, this.#nodes.get(key)?.effective ?? []);
    }
  }

  /** Makes a second geolocation group for each continent whose countries differ: exact for any policy, one level deeper. */
  #addContinentGroups(cover: Cover, node: (key: string) => string): readonly (readonly [Location, string])[] {
    const below = cover.continents.flatMap((part): readonly (readonly [Location, string])[] => {
      if (part.exceptions.size === 0) {
        return part.base === undefined ? [] : [[{ continent: part.continent }, node(part.base)]];
      }
      const members = flattenContinent({ ...part, base: part.base ?? cover.star });
      const targets = members.map(([location, key]) => [location, node(key)] as const);
      const name = this.#nodeName(
        'geo',
        targets.map(([location, target]) => JSON.stringify([location, target])),
      );
      this.#addGeo(name, targets);
      return [[{ continent: part.continent }, name]];
    });
    return [...below, ['*', node(cover.star)]];
  }

  #addNode(key: string, tiers: readonly Tier[], capacity: number): string {
    const known = this.#nodes.get(key);
    if (known !== undefined) return known.name;
    const { slots, effective, notices } = pack(tiers, this.#addresses, capacity);
    this.notices.push(...notices.map((notice) => ({ ...notice, message: `${key}: ${notice.message}` })));
    const name = this.#addSlots(slots);
    this.#nodes.set(key, { name, effective });
    return name;
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
        setIdentifier:
          location === '*'
            ? 'everywhere else'
            : 'country' in location
              ? location.country
              : `continent ${location.continent}`,
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

  /** The tiers with only the clusters that have an address of this type. */
  #servable(tiers: readonly Tier[]): readonly Tier[] {
    return tiers
      .map((tier) => tier.filter((cluster) => this.#addresses.has(cluster.name)))
      .filter((tier) => tier.length > 0);
  }
}
