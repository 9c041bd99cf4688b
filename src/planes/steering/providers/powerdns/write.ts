import { formatRecord, groupKey, type RecordSet } from '../../../../answers/record.ts';
import { type Clock, sleep } from '../../../../runtime/clock.ts';
import { SteeringError } from '../../reasons.ts';
import type { Batch } from '../../records/batches.ts';
import type { Change } from '../../records/change.ts';
import { ownedName } from '../../records/registry.ts';
import { staleZone } from '../../records/stale.ts';
import type { ZoneProvider } from '../provider.ts';
import { type PowerDnsOptions, patchZone, powerDnsReader, readZone, rrsetOf } from './client.ts';

export interface PowerDnsWriterOptions extends PowerDnsOptions {
  readonly clock: Clock;
  /** Returns a random number in [0, 1). */
  readonly random: () => number;
}

/**
 * Writes to PowerDNS over its HTTP API, which has no precondition. The generation is compared immediately before the PATCH, so a writer
 * that slept between its plan and its write is refused. One that is stopped between that comparison and the PATCH overwrites what
 * others wrote meanwhile; this is found afterwards by both. Each PATCH adds a record with a name of its own, the mark of the write, and
 * deletes the marks that were there when it compared: a mark of somebody else that is there afterwards is a write that came between.
 */
export function powerDns(options: PowerDnsWriterOptions): ZoneProvider {
  return {
    ...powerDnsReader(options),
    createHealthChecks: async () => new Map(),
    awaitHealth: async () => {},
    updateHealthChecks: async () => {},
    deleteHealthChecks: async () => {},
    async applyBatch({ zone }, batch) {
      const { records } = await readZone(options, zone);
      refuseStale(zone, records, batch);
      const mark = markRecord(zone, options.random);
      const unmark = records.filter(({ name }) => isMark(zone, name)).map(deletionOf);
      const changes = [...batch.changes, ...unmark, { action: 'CREATE', record: mark } as const];
      const final = [...new Map(changes.map((change) => [groupKey(change.record), change])).values()];
      await patch(options, zone, final, mark);
      await refuseOverlap(options, zone, final);
      // A writer that compared before this one and wrote after it is seen by a second look.
      await sleep(options.clock, secondLookMs);
      await refuseOverlap(options, zone, final);
    },
  };
}

const secondLookMs = 500;
const markLabel = '_write-';
const markTtlSeconds = 60;

const isMark = (zone: string, name: string): boolean =>
  name.startsWith(markLabel) && name.endsWith(`.${ownedName(zone)}`);

function markRecord(zone: string, random: () => number): RecordSet {
  const word = Math.floor(random() * 2 ** 48).toString(36);
  const values = ['"the last write of Tideline"'];
  return {
    name: ownedName(zone, `${markLabel}${word}`),
    type: 'TXT',
    target: { kind: 'values', ttlSeconds: markTtlSeconds, values },
  };
}

const deletionOf = (record: RecordSet): Change => ({ action: 'DELETE', record });

/** Throws StaleGeneration unless every record that the batch deletes is there exactly, and no record that it creates is. */
function refuseStale(zone: string, records: readonly RecordSet[], batch: Batch): void {
  const present = new Map(records.map((record) => [groupKey(record), formatRecord(record)]));
  for (const { action, record } of batch.changes) {
    const key = groupKey(record);
    const matches = action === 'DELETE' ? present.get(key) === formatRecord(record) : !present.has(key);
    if (!matches) throw staleZone(zone, { before: batch.before, now: records, differing: key });
    if (action === 'DELETE') present.delete(key);
    else present.set(key, formatRecord(record));
  }
}

/** Resolves also when the answer was lost but the zone holds what was sent. */
async function patch(
  options: PowerDnsWriterOptions,
  zone: string,
  changes: readonly Change[],
  mark: RecordSet,
): Promise<void> {
  try {
    await patchZone(options, zone, changes.map(rrsetOf));
  } catch (error) {
    if (!(error instanceof SteeringError) || error.reason !== 'ProviderUnreachable') throw error;
    const { records } = await readZone(options, zone);
    if (!records.some(({ name }) => name === mark.name)) throw error;
  }
}

/** Throws WriteOverlapped unless the zone holds these changes, and the mark of no other write. */
async function refuseOverlap(options: PowerDnsOptions, zone: string, changes: readonly Change[]): Promise<void> {
  const { records } = await readZone(options, zone);
  const present = new Map(records.map((record) => [groupKey(record), formatRecord(record)]));
  const other = changes.find(({ action, record }) => {
    const now = present.get(groupKey(record));
    return action === 'DELETE' ? now !== undefined : now !== formatRecord(record);
  });
  const created = new Set(changes.filter(({ action }) => action === 'CREATE').map(({ record }) => record.name));
  const foreign = records.find(({ name }) => isMark(zone, name) && !created.has(name));
  if (other === undefined && foreign === undefined) return;
  const what = other === undefined ? `${foreign?.name} is there` : `${groupKey(other.record)} is not as it was written`;
  throw new SteeringError(
    'WriteOverlapped',
    `another writer wrote the zone ${zone} at the same moment: ${what}; the zone may hold parts of two plans: plan and apply again`,
  );
}
