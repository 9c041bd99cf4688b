import { compareRecords, formatRecord, identityOf, type RecordSet } from '../../../answers/record.ts';
import type { Dialect } from '../dialects/dialect.ts';
import { SteeringError, type SteeringNotice } from '../reasons.ts';
import { emptyRegistry, findRegistry, isDrifted, isOwned, type Registry, readRegistry } from './registry.ts';

/** The difference of wanted and current records: those to delete exactly as they are, and those to create. Sorted by identity. */
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

/** Types of records that exclude any answer of the same name, in every dialect. */
const exclusive: readonly string[] = ['CNAME', 'ALIAS'];

/**
 * Compares only what is ours: everything below the registry's name, and the answers of the hosts that the registry lists.
 * Throws UnownedRecord when a wanted host has an answer that is not ours.
 */
export function changesOf(
  wanted: WantedZone,
  current: readonly RecordSet[],
  { answerTypes }: Pick<Dialect, 'answerTypes'>,
): Changes {
  const before = findRegistry(wanted.zone, current);
  const registryBefore = before === undefined ? emptyRegistry : readRegistry(before);
  const answering = new Set(answerTypes);
  const owned = current.filter(
    (record) => record !== before && isOwned(record, wanted.zone, registryBefore, answering),
  );
  refuseUnowned(wanted, current, { owned: new Set(owned), conflicting: new Set([...answerTypes, ...exclusive]) });
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

function refuseUnowned(
  wanted: WantedZone,
  current: readonly RecordSet[],
  { owned, conflicting }: { readonly owned: ReadonlySet<RecordSet>; readonly conflicting: ReadonlySet<string> },
): void {
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
  if (!isDrifted(registry, owned)) return [];
  return [{ reason: 'Drift', message: `the records are not those that generation ${registry.generation} wrote` }];
}
