import type { RecordSet } from '../../../answers/record.ts';
import type { SteeringNotice } from '../reasons.ts';
import { isBelowRegistry } from './registry.ts';

/**
 * Hosts that begin with `*.`. They answer for the names below that have no records, and below which there are none (RFC 4592): such a name
 * exists, also where only a name below it has records.
 */
const start = '*.';

export function isWildcard(host: string): boolean {
  return host.startsWith(start);
}

/** The name below which a wildcard answers. */
const parentOf = (wildcard: string): string => wildcard.slice(start.length);

/** The name directly below the parent of a wildcard that is, or is above, this name; undefined for names elsewhere. */
function childOf(wildcard: string, name: string): string | undefined {
  const end = `.${parentOf(wildcard)}`;
  if (!name.endsWith(end) || name === wildcard) return undefined;
  const label = name.slice(0, -end.length).split('.').at(-1);
  return `${label}${end}`;
}

/** True when a query for the name is answered from this host, a wildcard, in a zone with these records. */
export function isCovered(wildcard: string, name: string, records: readonly RecordSet[]): boolean {
  const child = isWildcard(wildcard) ? childOf(wildcard, name) : undefined;
  return child !== undefined && !records.some((record) => childOf(wildcard, record.name) === child);
}

/** So many names are listed. */
const mostNamed = 5;

/** Names of others for which a wildcard of ours does not answer, because they exist; `hosts` are ours. */
export function hiding(
  { zone, hosts }: { readonly zone: string; readonly hosts: readonly string[] },
  wildcard: string,
  records: readonly RecordSet[],
): readonly SteeringNotice[] {
  if (!isWildcard(wildcard)) return [];
  const ours = new Set(hosts);
  const children = records
    .filter(({ name }) => !ours.has(name) && !isBelowRegistry(zone, name))
    .flatMap(({ name }) => childOf(wildcard, name) ?? [])
    // Names of services, as of certificates or mail, are no hosts.
    .filter((child) => !child.startsWith('_') && !ours.has(child));
  const names = [...new Set(children)].sort();
  if (names.length === 0) return [];
  const named = names.slice(0, mostNamed).join(', ');
  const rest = names.length > mostNamed ? ` and ${names.length - mostNamed} more` : '';
  const message = `${wildcard}: ${named}${rest} exist in the zone by records of others, so they and the names below them do not get its answer`;
  return [{ reason: 'WildcardHidden', message }];
}
