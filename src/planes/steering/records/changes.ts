import { SteeringError, type SteeringNotice } from '../reasons.ts';
import { compareRecords, formatRecord, identityOf, type RecordSet } from './record.ts';
import { digestOf, emptyRegistry, parseRegistry, type Registry } from './registry.ts';
import { registryName } from './tree.ts';

/** Wanted against current: what to delete exactly as it is, and what to create. Sorted by identity. */
export interface Changes {
  readonly create: readonly RecordSet[];
  readonly delete: readonly RecordSet[];
  readonly before: RecordSet | undefined;
  readonly registryBefore: Registry;
  readonly notices: readonly SteeringNotice[];
}

export interface WantedZone {
  readonly zone: string;
  readonly records: readonly RecordSet[];
  readonly hosts: readonly string[];
}

/** Record types that answer for a host, in either provider. */
const answering: ReadonlySet<string> = new Set(['A', 'AAAA', 'LUA']);
/** Types that cannot stand beside an answer. */
const conflicting: ReadonlySet<string> = new Set([...answering, 'CNAME', 'ALIAS']);

/**
 * Compares only what is ours: everything below the registry's name, and the answers of the hosts that the registry lists.
 * Throws UnownedRecord when a wanted host has an answer that is not ours.
 */
export function changesOf(wanted: WantedZone, current: readonly RecordSet[]): Changes {
  const before = current.find(({ name, type }) => name === registryName(wanted.zone) && type === 'TXT');
  const registryBefore = before === undefined ? emptyRegistry : parseRegistry(before);
  if (registryBefore === undefined) {
    throw new SteeringError('UnreadableRegistry', `${registryName(wanted.zone)} TXT is not a generation record`);
  }
  const owned = current.filter((record) => record !== before && isOwned(record, wanted.zone, registryBefore));
  refuseUnowned(wanted, current, new Set(owned));
  const ownedTexts = new Map(owned.map((record) => [identityOf(record), formatRecord(record)]));
  const wantedTexts = new Map(wanted.records.map((record) => [identityOf(record), formatRecord(record)]));
  const differs = (record: RecordSet, other: ReadonlyMap<string, string>): boolean =>
    other.get(identityOf(record)) !== formatRecord(record);
  return {
    create: wanted.records.filter((record) => differs(record, ownedTexts)).sort(compareRecords),
    delete: owned.filter((record) => differs(record, wantedTexts)).sort(compareRecords),
    before,
    registryBefore,
    notices: driftOf(owned, registryBefore),
  };
}

function isOwned(record: RecordSet, zone: string, registry: Registry): boolean {
  const below = record.name.endsWith(`.${registryName(zone)}`);
  return below || (answering.has(record.type) && registry.hosts.includes(record.name));
}

function refuseUnowned(wanted: WantedZone, current: readonly RecordSet[], owned: ReadonlySet<RecordSet>): void {
  const hosts = new Set(wanted.hosts);
  const foreign = current.find(
    (record) => hosts.has(record.name) && conflicting.has(record.type) && !owned.has(record),
  );
  if (foreign === undefined) return;
  throw new SteeringError(
    'UnownedRecord',
    `${foreign.name} ${foreign.type} exists and was not written by Tideline; delete it or take the host out of the policy`,
  );
}

function driftOf(owned: readonly RecordSet[], registry: Registry): readonly SteeringNotice[] {
  if (registry.generation === 0 || registry.digest === 'unfinished' || registry.digest === digestOf(owned)) return [];
  return [{ reason: 'Drift', message: `the records are not those that generation ${registry.generation} wrote` }];
}
