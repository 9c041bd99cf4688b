import { formatRecord, identityOf, type RecordSet } from '../../../src/answers/record.ts';
import type { ProviderName } from '../../../src/planes/steering/dialects/dialect.ts';
import type { ZoneProvider } from '../../../src/planes/steering/providers/provider.ts';
import { SteeringError } from '../../../src/planes/steering/reasons.ts';
import type { HeldCheck } from '../../../src/planes/steering/records/checks.ts';
import { newSettings } from './checks.ts';

/**
 * Connects to providers whose zones are in memory, one zone each; a batch is taken whole or refused with StaleGeneration. Writing to a
 * provider that is not in `working` fails.
 */
export function memoryProviders(
  working: ReadonlySet<ProviderName> = new Set(['powerdns', 'route53']),
): (name: ProviderName) => Promise<ZoneProvider> {
  const zones = new Map<ProviderName, ReadonlyMap<string, RecordSet>>();
  const checks = new Map<ProviderName, Map<string, HeldCheck>>();
  return async (name) => ({
    name,
    async read(zone) {
      const records = [...(zones.get(name)?.values() ?? [])];
      const healthChecks = new Map(checks.get(name));
      return { zone, zoneId: name, records, healthChecks, strayHealthChecks: [], retiredHealthChecks: [] };
    },
    async createHealthChecks(_state, wanted) {
      const held = checks.get(name) ?? new Map<string, HeldCheck>();
      checks.set(name, held);
      for (const check of wanted) {
        const { key } = check;
        held.set(key, held.get(key) ?? { id: `id-${key}`, version: 1, settings: newSettings(check) });
      }
      return new Map([...held].map(([key, { id }]) => [key, id]));
    },
    awaitHealth: async () => {},
    updateHealthChecks: async () => {},
    deleteHealthChecks: async () => {},
    async applyBatch(_state, { changes }) {
      if (!working.has(name)) throw new Error(`${name} is out of order`);
      const now = new Map(zones.get(name));
      for (const { action, record } of changes) {
        const standing = now.get(identityOf(record));
        const fits =
          action === 'CREATE'
            ? standing === undefined
            : standing !== undefined && formatRecord(standing) === formatRecord(record);
        if (!fits) throw new SteeringError('StaleGeneration', `${action} ${identityOf(record)}`);
        if (action === 'DELETE') now.delete(identityOf(record));
        else now.set(identityOf(record), record);
      }
      zones.set(name, now);
    },
  });
}
