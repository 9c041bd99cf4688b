import { compareRecords, formatRecord, identityOf, type RecordSet } from '../../../answers/record.ts';
import type { Dialect } from '../dialects/dialect.ts';
import type { SteeringNotice } from '../reasons.ts';
import { findRegistry, isDrifted, ownership, type Registry, registryOf } from './registry.ts';

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
  /** True when some hosts are left as they stand, whatever the policies want of them. */
  readonly partial?: boolean;
  /** A host whose records of others are replaced by ours. */
  readonly adopted?: string;
  /** Records that are written where ours stood, and that are not ours from then on. */
  readonly released?: readonly RecordSet[];
}

/** Types of records that exclude any answer of the same name, in every dialect. */
export const exclusiveTypes: readonly string[] = ['CNAME', 'ALIAS'];

/**
 * Compares only what is ours: everything below the registry's name, and the answers of the hosts that the registry lists. Hosts with
 * answers of others must not be wanted (`scopeOf`).
 */
export function changesOf(
  wanted: WantedZone,
  current: readonly RecordSet[],
  { answerTypes }: Pick<Dialect, 'answerTypes'>,
): Changes {
  const before = findRegistry(wanted.zone, current);
  const registryBefore = registryOf(wanted.zone, current);
  const answering = new Set(answerTypes);
  const owned = current.filter(ownership(wanted.zone, registryBefore, answering));
  const ours = new Set(owned);
  const adopted = current.filter(
    (record) => record.name === wanted.adopted && !ours.has(record) && isAnswer(record, answering),
  );
  const replaceable = [...owned, ...adopted];
  const after = [...wanted.records, ...(wanted.released ?? [])];
  const ownedTexts = new Map(replaceable.map((record) => [identityOf(record), formatRecord(record)]));
  const wantedTexts = new Map(after.map((record) => [identityOf(record), formatRecord(record)]));
  const differs = (record: RecordSet, other: ReadonlyMap<string, string>): boolean =>
    other.get(identityOf(record)) !== formatRecord(record);
  return {
    create: after.filter((record) => differs(record, ownedTexts)).sort(compareRecords),
    delete: replaceable.filter((record) => differs(record, wantedTexts)).sort(compareRecords),
    before,
    registryBefore,
    notices: driftOf(owned, registryBefore),
  };
}

/** True for a record that answers for its name, or that excludes every answer. */
export function isAnswer({ type }: RecordSet, answerTypes: ReadonlySet<string>): boolean {
  return answerTypes.has(type) || exclusiveTypes.includes(type);
}

/** True when what is ours in a zone is not what its generation wrote. Throws UnreadableRegistry. */
export function hasDrifted(
  zone: string,
  current: readonly RecordSet[],
  { answerTypes }: Pick<Dialect, 'answerTypes'>,
): boolean {
  const registry = registryOf(zone, current);
  return isDrifted(registry, current.filter(ownership(zone, registry, new Set(answerTypes))));
}

function driftOf(owned: readonly RecordSet[], registry: Registry): readonly SteeringNotice[] {
  if (!isDrifted(registry, owned)) return [];
  return [{ reason: 'Drift', message: `the records are not those that generation ${registry.generation} wrote` }];
}
