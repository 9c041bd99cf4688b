import { formatRecord, identityOf, type RecordSet } from '../../../src/answers/record.ts';
import type { ProviderName } from '../../../src/planes/steering/dialects/dialect.ts';
import type { ZoneProvider } from '../../../src/planes/steering/providers/provider.ts';
import type { HeldCheck } from '../../../src/planes/steering/records/checks.ts';
import { newSettings } from './checks.ts';

/** A provider with one zone in memory, which takes a batch as a whole and only when it fits exactly. */
export class ZoneInMemory {
  records: readonly RecordSet[];
  /** The zone after each batch. */
  readonly states: (readonly RecordSet[])[] = [];
  readonly provider: ZoneProvider;
  readonly #healthChecks = new Map<string, HeldCheck>();

  constructor(name: ProviderName, records: readonly RecordSet[] = []) {
    this.records = records;
    this.provider = {
      name,
      read: async (zone) => ({
        zone,
        zoneId: 'Z1',
        records: this.records,
        healthChecks: this.#healthChecks,
        strayHealthChecks: [],
        retiredHealthChecks: [],
      }),
      createHealthChecks: async (_state, checks) => {
        for (const check of checks) {
          this.#healthChecks.set(check.key, { id: `id of ${check.key}`, version: 1, settings: newSettings(check) });
        }
        return new Map([...this.#healthChecks].map(([key, { id }]) => [key, id]));
      },
      awaitHealth: async () => {},
      updateHealthChecks: async () => {},
      deleteHealthChecks: async () => {},
      applyBatch: async (_state, { changes }) => {
        const now = new Map(this.records.map((record) => [identityOf(record), record]));
        for (const { action, record } of changes) {
          const present = now.get(identityOf(record));
          if (action === 'DELETE' && (present === undefined || formatRecord(present) !== formatRecord(record)))
            throw new Error(`not there: ${formatRecord(record)}`);
          if (action === 'CREATE' && present !== undefined) throw new Error(`exists: ${formatRecord(record)}`);
          if (action === 'DELETE') now.delete(identityOf(record));
          else now.set(identityOf(record), record);
        }
        this.records = [...now.values()];
        this.states.push(this.records);
      },
    };
  }

  texts(isWanted: (record: RecordSet) => boolean = () => true): string[] {
    return this.records.filter(isWanted).map(formatRecord).sort();
  }
}

/** A record that Tideline did not write. */
export function foreignRecord(name: string, type: string, value: string, more: Partial<RecordSet> = {}): RecordSet {
  return { name, type, target: { kind: 'values', ttlSeconds: 60, values: [value] }, ...more };
}
