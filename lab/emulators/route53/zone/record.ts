import type { Continent } from '../../../../src/model/geo/countries.ts';
import { compareText } from '../../../../src/model/values.ts';
import { compareNames } from './names.ts';

export const recordTypes = ['A', 'AAAA', 'CAA', 'CNAME', 'HTTPS', 'MX', 'NS', 'PTR', 'SOA', 'SRV', 'TXT'] as const;
export type RecordType = (typeof recordTypes)[number];

/** One resource record set, with the API's fields. */
export interface RecordSet {
  /** The canonical name (names.ts). */
  readonly name: string;
  readonly type: RecordType;
  /** Present on all but simple records; unique among the records of the same name and type. */
  readonly setIdentifier: string | undefined;
  readonly routing: Routing;
  /** The TTL in seconds; an alias has none. */
  readonly ttl: number | undefined;
  /** The values as the caller wrote them; empty for an alias. */
  readonly values: readonly string[];
  readonly alias: AliasTarget | undefined;
  readonly healthCheckId: string | undefined;
}

export type Routing =
  | { readonly kind: 'simple' }
  | { readonly kind: 'weighted'; readonly weight: number }
  | { readonly kind: 'failover'; readonly role: 'PRIMARY' | 'SECONDARY' }
  | { readonly kind: 'geolocation'; readonly location: GeoLocation }
  | { readonly kind: 'latency'; readonly region: string }
  | { readonly kind: 'multivalue' }
  /** A location of a CIDR collection; `*` stands for every client that is in none of its blocks. */
  | { readonly kind: 'cidr'; readonly collectionId: string; readonly location: string };

/** A location; `country: '*'` stands for every place that no other record names. */
export type GeoLocation =
  | { readonly continent: Continent }
  | { readonly country: string; readonly subdivision?: string };

export interface AliasTarget {
  readonly hostedZoneId: string;
  readonly name: string;
  readonly evaluateTargetHealth: boolean;
}

export interface Change {
  readonly action: 'CREATE' | 'DELETE' | 'UPSERT';
  readonly record: RecordSet;
}

/** Route 53's listing order: name, type, set identifier. */
export function compareRecords(a: RecordKey, b: RecordKey): number {
  return (
    compareNames(a.name, b.name) ||
    compareText(a.type, b.type) ||
    compareText(a.setIdentifier ?? '', b.setIdentifier ?? '')
  );
}
export type RecordKey = Pick<RecordSet, 'name' | 'type' | 'setIdentifier'>;

export function sameKey(a: RecordKey, b: RecordKey): boolean {
  return a.name === b.name && a.type === b.type && a.setIdentifier === b.setIdentifier;
}

/** The location as a text that is unique in a geolocation group. */
export function locationKey(location: GeoLocation): string {
  if ('continent' in location) return `continent ${location.continent}`;
  const { country, subdivision } = location;
  return subdivision === undefined ? `country ${country}` : `subdivision ${country} ${subdivision}`;
}

/** True when a DELETE of `given` matches `current` in every field; the order of values does not matter. */
export function sameRecord(current: RecordSet, given: RecordSet): boolean {
  return comparable(current) === comparable(given);
}

function comparable(record: RecordSet): string {
  return JSON.stringify([
    record.name,
    record.type,
    record.setIdentifier,
    record.routing,
    record.ttl,
    record.values.toSorted(),
    record.alias,
    record.healthCheckId,
  ]);
}
