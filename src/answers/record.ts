import type { Continent } from '../model/geo/countries.ts';
import { compareText } from '../model/values.ts';

/**
 * A record set in Route 53's terms. Names are in lower case without the trailing dot. `name`, `type` and `setIdentifier`
 * together are its identity; records of one name and type that have a routing are a group.
 */
export interface RecordSet {
  readonly name: string;
  readonly type: string;
  readonly setIdentifier?: string;
  readonly routing?: Routing;
  readonly target: Target;
  /** Key of the record's health check; a record without one is always healthy by itself. */
  readonly healthCheck?: string;
}

export type Routing =
  | { readonly kind: 'geo'; readonly location: Location }
  | { readonly kind: 'weighted'; readonly weight: number }
  | { readonly kind: 'failover'; readonly role: 'PRIMARY' | 'SECONDARY' }
  /**
   * By the network of a client, which a location of a collection of ours holds; the location `*` is for all that are in none. `collection` is the
   * key of its content, and `networks` are those of the location, sorted.
   */
  | {
      readonly kind: 'networks';
      readonly collection: string;
      readonly location: string;
      readonly networks: readonly string[];
    }
  /**
   * A routing of others (latency, multivalue, ...), which Tideline writes only to delete or to put back such a record. `description`
   * has all of it; `fields` are the provider's own, absent when the record cannot be written with its API of records.
   */
  | { readonly kind: 'other'; readonly description: string; readonly fields?: Readonly<Record<string, unknown>> };

/** A country code, a state (`US-CA`), a continent, or `*` for everywhere else and for users of unknown location. */
export type Location =
  | { readonly country: string }
  | { readonly state: string }
  | { readonly continent: Continent }
  | '*';

export type Target =
  | { readonly kind: 'values'; readonly ttlSeconds: number; readonly values: readonly string[] }
  | {
      readonly kind: 'alias';
      readonly name: string;
      readonly evaluateHealth: boolean;
      /** Set only when the alias leads to another hosted zone. */
      readonly zoneId?: string;
    };

export function identityOf(record: RecordSet): string {
  return `${record.name} ${record.type} ${record.setIdentifier ?? ''}`;
}

export function groupKey(record: { readonly name: string; readonly type: string }): string {
  return `${record.name} ${record.type}`;
}

export function formatLocation(location: Location): string {
  if (location === '*') return '*';
  if ('state' in location) return location.state;
  return 'country' in location ? location.country : `continent ${location.continent}`;
}

/**
 * The whole record as one line, which is equal exactly for equal records; plans show it. The values of a record set have no order:
 * providers return them in any.
 */
export function formatRecord(record: RecordSet): string {
  const routing = record.routing === undefined ? '' : ` ${formatRouting(record.routing)}`;
  const health = record.healthCheck === undefined ? '' : ` health=${record.healthCheck}`;
  const id = record.setIdentifier === undefined ? '' : ` [${record.setIdentifier}]`;
  return `${record.name} ${record.type}${id}${routing} -> ${formatTarget(record.target)}${health}`;
}

export function compareRecords(a: RecordSet, b: RecordSet): number {
  return compareText(identityOf(a), identityOf(b));
}

function formatRouting(routing: Routing): string {
  switch (routing.kind) {
    case 'geo':
      return `geo=${formatLocation(routing.location)}`;
    case 'weighted':
      return `weight=${routing.weight}`;
    case 'failover':
      return `failover=${routing.role}`;
    case 'networks':
      return `networks=${[routing.location, ...routing.networks].join(',')} of ${routing.collection}`;
    case 'other':
      return routing.description;
  }
}

function formatTarget(target: Target): string {
  if (target.kind === 'values') return `${target.values.toSorted(compareText).join(' ')} ttl=${target.ttlSeconds}`;
  const zone = target.zoneId === undefined ? '' : ` zone=${target.zoneId}`;
  return `alias ${target.name}${target.evaluateHealth ? '' : ' health=ignored'}${zone}`;
}
