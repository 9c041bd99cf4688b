import type { Continent } from '../../../model/geo/countries.ts';

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
  /** Key of a HealthCheck; a record without one is always healthy by itself. */
  readonly healthCheck?: string;
}

export type Routing =
  | { readonly kind: 'geo'; readonly location: Location }
  | { readonly kind: 'weighted'; readonly weight: number }
  | { readonly kind: 'failover'; readonly role: 'PRIMARY' | 'SECONDARY' }
  /** A routing that Tideline never writes (latency, multivalue, ...); only read. */
  | { readonly kind: 'other'; readonly description: string };

/** A country code, a continent, or `*` for everywhere else and for users of unknown location. */
export type Location = { readonly country: string } | { readonly continent: Continent } | '*';

export type Target =
  | { readonly kind: 'values'; readonly ttlSeconds: number; readonly values: readonly string[] }
  | {
      readonly kind: 'alias';
      readonly name: string;
      readonly evaluateHealth: boolean;
      /** Set only when the alias leads to another hosted zone. */
      readonly zoneId?: string;
    };

/** What the provider probes. The key names the settings, which are immutable: other settings are another check. */
export interface HealthCheck {
  readonly key: string;
  readonly address: string;
  readonly port: number;
  readonly protocol: 'HTTP' | 'HTTPS';
  readonly path: string;
  /** Sent as the Host header. */
  readonly host: string;
  readonly intervalSeconds: 10 | 30;
  readonly failureThreshold: number;
}

/** What Route 53 accepts and what we rely on. */
export const route53Limits = {
  /** Geolocation, weighted, ... records of one name and type. */
  recordsPerGroup: 100,
  weight: 255,
  /** Names that one query may pass, the queried one included: "up to three levels of recursion". */
  levels: 3,
  /** Values of one record set. */
  values: 400,
  batchElements: 1000,
  batchCharacters: 32_000,
} as const;

export function identityOf(record: RecordSet): string {
  return `${record.name} ${record.type} ${record.setIdentifier ?? ''}`;
}

export function groupKey(record: { readonly name: string; readonly type: string }): string {
  return `${record.name} ${record.type}`;
}

export function formatLocation(location: Location): string {
  if (location === '*') return '*';
  return 'country' in location ? location.country : `continent ${location.continent}`;
}

/** Everything of a record as one line, equal exactly for equal records; also what plans show. */
export function formatRecord(record: RecordSet): string {
  const routing = record.routing === undefined ? '' : ` ${formatRouting(record.routing)}`;
  const health = record.healthCheck === undefined ? '' : ` health=${record.healthCheck}`;
  const id = record.setIdentifier === undefined ? '' : ` [${record.setIdentifier}]`;
  return `${record.name} ${record.type}${id}${routing} -> ${formatTarget(record.target)}${health}`;
}

export function compareRecords(a: RecordSet, b: RecordSet): number {
  const left = identityOf(a);
  const right = identityOf(b);
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function formatRouting(routing: Routing): string {
  switch (routing.kind) {
    case 'geo':
      return `geo=${formatLocation(routing.location)}`;
    case 'weighted':
      return `weight=${routing.weight}`;
    case 'failover':
      return `failover=${routing.role}`;
    case 'other':
      return routing.description;
  }
}

function formatTarget(target: Target): string {
  if (target.kind === 'values') return `${target.values.join(' ')} ttl=${target.ttlSeconds}`;
  const zone = target.zoneId === undefined ? '' : ` zone=${target.zoneId}`;
  return `alias ${target.name}${target.evaluateHealth ? '' : ' health=ignored'}${zone}`;
}
