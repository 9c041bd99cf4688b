import type { Change, CidrRoutingConfig, HealthCheckConfig, ResourceRecordSet } from '@aws-sdk/client-route-53';
import type { Location, RecordSet, Routing, Target } from '../../../../answers/record.ts';
import { continents } from '../../../../model/geo/countries.ts';
import { stateOf } from '../../../../model/geo/states.ts';
import { withoutUndefined } from '../../../../model/values.ts';
import type { Collection } from '../../compile/collections.ts';
import { type CountingCheck, countingCheck } from '../../compile/counting.ts';
import { checkType, type HealthCheck, healthCheckKey } from '../../compile/entries.ts';
import type { Change as OurChange } from '../../records/change.ts';
import type { CheckSettings } from '../../records/checks.ts';
import { contentName } from '../../records/hash.ts';

/** Conversion between Route 53's shapes and ours. Its names end in a dot and write unusual characters as `\ooo`. */

export function toRecord(set: ResourceRecordSet, keyOfId: (id: string) => string): RecordSet {
  const routing = toRouting(set);
  return {
    name: fromName(set.Name ?? ''),
    type: set.Type ?? '',
    ...withoutUndefined({ setIdentifier: set.SetIdentifier, routing }),
    target: toTarget(set),
    ...(set.HealthCheckId === undefined ? {} : { healthCheck: keyOfId(set.HealthCheckId) }),
  };
}

/** The identifier of the collection that a record names, as `toRecord` reads it, and the location in it. */
export function collectionNamed({
  routing,
}: RecordSet): { readonly id: string; readonly location: string } | undefined {
  const config = routing?.kind === 'other' ? routing.fields?.['CidrRoutingConfig'] : undefined;
  const { CollectionId: id = '', LocationName: location = '' } = (config ?? {}) as Partial<CidrRoutingConfig>;
  return config === undefined ? undefined : { id, location };
}

/** The record as one of ours where it names a collection of ours; its networks are those that its location holds now. */
export function withNetworks(record: RecordSet, collectionOf: (id: string) => Collection | undefined): RecordSet {
  const named = collectionNamed(record);
  const collection = named && collectionOf(named.id);
  if (collection === undefined) return record;
  const { location } = named ?? { location: '' };
  const networks = collection.locations.find(({ name }) => name === location)?.networks ?? [];
  return { ...record, routing: { kind: 'networks', collection: collection.key, location, networks } };
}

function toRouting(set: ResourceRecordSet): Routing | undefined {
  if (set.GeoLocation !== undefined) {
    const { ContinentCode, CountryCode, SubdivisionCode } = set.GeoLocation;
    const continent = continents.find((code) => code === ContinentCode);
    if (continent !== undefined) return { kind: 'geo', location: { continent } };
    if (CountryCode === '*') return { kind: 'geo', location: '*' };
    if (CountryCode !== undefined && SubdivisionCode === undefined) {
      return { kind: 'geo', location: { country: CountryCode } };
    }
    const state = `${CountryCode}-${SubdivisionCode}`;
    if (stateOf(state) !== undefined) return { kind: 'geo', location: { state } };
    return other(`geo=${state}`, { GeoLocation: set.GeoLocation });
  }
  if (set.Weight !== undefined) return { kind: 'weighted', weight: set.Weight };
  if (set.Failover !== undefined) return { kind: 'failover', role: set.Failover };
  return toOtherRouting(set);
}

/** A routing that Tideline never writes by itself. */
function toOtherRouting(set: ResourceRecordSet): Routing | undefined {
  const { Region, MultiValueAnswer, CidrRoutingConfig, GeoProximityLocation, TrafficPolicyInstanceId } = set;
  if (TrafficPolicyInstanceId !== undefined) return other(`traffic policy instance=${TrafficPolicyInstanceId}`);
  if (Region !== undefined) return other(`latency=${Region}`, { Region });
  if (MultiValueAnswer === true) return other('multivalue', { MultiValueAnswer });
  if (CidrRoutingConfig !== undefined) {
    const { CollectionId, LocationName } = CidrRoutingConfig;
    return other(`client network=${CollectionId}/${LocationName}`, { CidrRoutingConfig });
  }
  if (GeoProximityLocation !== undefined) {
    return other(`distance=${JSON.stringify(GeoProximityLocation)}`, { GeoProximityLocation });
  }
  return set.SetIdentifier === undefined ? undefined : other('another routing');
}

function other(description: string, fields?: Readonly<Record<string, unknown>>): Routing {
  return { kind: 'other', description, ...withoutUndefined({ fields }) };
}

function toTarget(set: ResourceRecordSet): Target {
  const alias = set.AliasTarget;
  if (alias === undefined) {
    const values = (set.ResourceRecords ?? []).map((record) => record.Value ?? '');
    return { kind: 'values', ttlSeconds: set.TTL ?? 0, values };
  }
  return {
    kind: 'alias',
    name: fromName(alias.DNSName ?? ''),
    evaluateHealth: alias.EvaluateTargetHealth ?? false,
    ...withoutUndefined({ zoneId: alias.HostedZoneId }),
  };
}

/** A change as Route 53 takes it. `idOf` gives the identifier for the key of a health check or collection; an unknown key is an identifier already. */
export function toChange(change: OurChange, zoneId: string, idOf: (key: string) => string): Change {
  const { record } = change;
  const set: ResourceRecordSet = {
    Name: `${record.name}.`,
    Type: record.type as NonNullable<ResourceRecordSet['Type']>,
    ...withoutUndefined({ SetIdentifier: record.setIdentifier }),
    ...fromRouting(record.routing, idOf),
    ...fromTarget(record.target, zoneId),
    ...(record.healthCheck === undefined ? {} : { HealthCheckId: idOf(record.healthCheck) }),
  };
  return { Action: change.action, ResourceRecordSet: set };
}

function fromRouting(routing: Routing | undefined, idOf: (key: string) => string): Partial<ResourceRecordSet> {
  switch (routing?.kind) {
    case 'geo':
      return { GeoLocation: fromLocation(routing.location) };
    case 'weighted':
      return { Weight: routing.weight };
    case 'failover':
      return { Failover: routing.role };
    case 'networks':
      return { CidrRoutingConfig: { CollectionId: idOf(routing.collection), LocationName: routing.location } };
    case 'other':
      return routing.fields ?? {};
    case undefined:
      return {};
  }
}

function fromLocation(location: Location): NonNullable<ResourceRecordSet['GeoLocation']> {
  if (location === '*') return { CountryCode: '*' };
  if ('continent' in location) return { ContinentCode: location.continent };
  if ('country' in location) return { CountryCode: location.country };
  const [CountryCode = '', SubdivisionCode = ''] = location.state.split('-');
  return { CountryCode, SubdivisionCode };
}

function fromTarget(target: Target, zoneId: string): Partial<ResourceRecordSet> {
  if (target.kind === 'values') {
    return { TTL: target.ttlSeconds, ResourceRecords: target.values.map((Value) => ({ Value })) };
  }
  const alias = { DNSName: `${target.name}.`, EvaluateTargetHealth: target.evaluateHealth };
  return { AliasTarget: { ...alias, HostedZoneId: target.zoneId ?? zoneId } };
}

/**
 * A name as we compare it: in lower case, without the last dot, `*` for `\052`. A dot or backslash within a label stays escaped, because
 * `a\056b.example` is another name than `a.b.example`.
 */
export function fromName(name: string): string {
  return name
    .replace(/\.$/, '')
    .replace(/\\([0-3][0-7]{2})/g, (escape, octal: string) => {
      const character = String.fromCharCode(Number.parseInt(octal, 8));
      return character === '.' || character === '\\' ? escape : character;
    })
    .toLowerCase();
}

export function toHealthCheckConfig(check: HealthCheck): HealthCheckConfig {
  return {
    Type: checkType(check),
    IPAddress: check.address,
    Port: check.port,
    ResourcePath: check.path,
    ...withoutUndefined({ FullyQualifiedDomainName: check.hosts[0] }),
    RequestInterval: check.intervalSeconds,
    FailureThreshold: check.failureThreshold,
    ...withoutUndefined({ SearchString: check.searchString }),
    ...(check.protocol === 'HTTPS' ? { EnableSNI: true } : {}),
  };
}

/** A check that counts others, which `ids` names by key. */
export function toCountingConfig(
  { children, atLeast }: CountingCheck,
  ids: ReadonlyMap<string, string>,
): HealthCheckConfig {
  return {
    Type: 'CALCULATED',
    HealthThreshold: atLeast,
    ChildHealthChecks: children.map((key) => ids.get(key) ?? key),
  };
}

/**
 * The key that `entriesOf` or `countingOf` gives to a check with these settings; `keys` are those of checks that one may count, by identifier. One that counts a check
 * that is not ours has a key that no plan wants.
 */
export function keyOfConfig(
  config: HealthCheckConfig | undefined,
  keys: ReadonlyMap<string, string> = new Map(),
): string {
  if (config?.Type === 'CALCULATED') {
    const children = (config.ChildHealthChecks ?? []).map((id) => keys.get(id) ?? `id:${id}`);
    return countingCheck(children, config.HealthThreshold ?? children.length).key;
  }
  return healthCheckKey({
    address: config?.IPAddress,
    type: config?.Type,
    path: config?.ResourcePath,
    intervalSeconds: config?.RequestInterval,
  });
}

/** The settings that an update can change; Route 53 fills in its defaults when a check is created. */
export function settingsOfConfig(config: HealthCheckConfig | undefined): CheckSettings {
  return {
    port: config?.Port ?? 0,
    host: config?.FullyQualifiedDomainName ?? '',
    failureThreshold: config?.FailureThreshold ?? 0,
    ...withoutUndefined({ searchString: config?.SearchString }),
    disabled: config?.Disabled ?? false,
    inverted: config?.Inverted ?? false,
  };
}

/** The prefix of every CallerReference of ours in a zone; health checks without it are never touched. */
export function referencePrefix(zoneId: string): string {
  return `tideline/${contentName(zoneId)}/`;
}

/**
 * The CallerReference of a new check. Route 53 refuses that of a deleted check, so the generation is a part of it, and from the
 * second attempt of a generation on, the attempt.
 */
export function callerReference(zoneId: string, key: string, generation: number, attempt: number): string {
  return `${referencePrefix(zoneId)}${key}/${generation}${attempt === 1 ? '' : `/${attempt}`}`;
}
