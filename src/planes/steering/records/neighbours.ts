import type { RecordSet } from '../../../answers/record.ts';
import type { SteeringNotice } from '../reasons.ts';
import { isCovered } from './wildcards.ts';

/** Records of others near a host that decide whether its records answer anybody, or that need its answer. */

export interface Cut {
  readonly reason: 'BelowDelegation' | 'BelowRedirection';
  /** A sentence without its end and without the host in front of it. */
  readonly message: string;
}

/**
 * What makes name servers answer for a host otherwise than with its records: a delegation at the host or above it (RFC 1034, section
 * 4.2), or a DNAME above it (RFC 6672). Undefined when there is nothing.
 */
export function cutAbove(
  host: string,
  zone: string,
  byName: ReadonlyMap<string, readonly Pick<RecordSet, 'type'>[]>,
): Cut | undefined {
  for (const name of ancestorsOf(host, zone)) {
    const has = (type: string): boolean => byName.get(name)?.some((record) => record.type === type) === true;
    if (name !== zone && has('NS')) {
      const message = `${name} is delegated to other name servers, so nobody is answered from this zone; write the host there; only a delegation that nobody uses any more may be deleted instead`;
      return { reason: 'BelowDelegation', message };
    }
    if (name !== host && has('DNAME')) {
      const message = `${name} has a DNAME, which answers for every name below it; delete it, or take the host out of the policy`;
      return { reason: 'BelowRedirection', message };
    }
  }
  return undefined;
}

/** The host, and every name above it down to the zone. */
function ancestorsOf(host: string, zone: string): readonly string[] {
  const labels = host.split('.');
  const above = labels.map((_, index) => labels.slice(index).join('.'));
  return above.filter((name) => name === zone || name.endsWith(`.${zone}`));
}

/**
 * HTTPS and SVCB records beside hosts that lead clients elsewhere than its addresses (RFC 9460): an alias, another target, or addresses of
 * their own.
 */
export function besides(hosts: readonly string[], records: readonly RecordSet[]): readonly SteeringNotice[] {
  const services = Map.groupBy(
    records.filter(({ type }) => type === 'HTTPS' || type === 'SVCB'),
    ({ name }) => name,
  );
  return hosts.flatMap((host) => (services.get(host) ?? []).flatMap((record) => leadingPast(host, record)));
}

function leadingPast(host: string, { type, target }: RecordSet): readonly SteeringNotice[] {
  if (target.kind !== 'values') return [];
  const leading = target.values.filter((value) => {
    const [, to = '.'] = value.split(/\s+/);
    return !isRoot(to, host) || /\bipv[46]hint=/.test(value);
  });
  if (leading.length === 0) return [];
  const message = `${host}: its ${type} record (${leading.join('; ')}) leads clients that ask for it elsewhere than the answers of the policy`;
  return [{ reason: 'LedElsewhere', message }];
}

const isRoot = (target: string, host: string): boolean => target === '.' || nameOf(target) === host;

/** The names of records that lead to a host, also by way of each other, and would lead to nothing without it. */
export function dependentsOf(host: string, records: readonly RecordSet[]): readonly string[] {
  const broken = new Set<string>();
  const silent = new Set([host]);
  for (const target of silent)
    for (const record of records) {
      if (record.name === host || !leadsTo(record, target, records)) continue;
      broken.add(record.name);
      if (record.target.kind === 'alias' || answering.has(record.type)) silent.add(record.name);
    }
  return [...broken].sort();
}

function leadsTo({ type, target }: RecordSet, host: string, records: readonly RecordSet[]): boolean {
  const isHost = (name: string | undefined): boolean =>
    name !== undefined && (name === host || isCovered(host, name, records));
  if (target.kind === 'alias') return target.zoneId === undefined && isHost(target.name);
  return target.values.some((value) => isHost(targetOf(type, value)));
}

/** The types by which a name has the addresses of another. */
const answering: ReadonlySet<string> = new Set(['CNAME', 'ALIAS']);

/** Where the name of the target stands in a value, by type. */
const positions: Readonly<Record<string, number>> = {
  CNAME: 0,
  ALIAS: 0,
  DNAME: 0,
  NS: 0,
  PTR: 0,
  MX: 1,
  HTTPS: 1,
  SVCB: 1,
  SRV: 3,
};

function targetOf(type: string, value: string): string | undefined {
  const position = positions[type];
  const word = position === undefined ? undefined : value.trim().split(/\s+/)[position];
  return word === undefined ? undefined : nameOf(word);
}

const nameOf = (text: string): string => text.replace(/\.$/, '').toLowerCase();
