import { formatRecord, identityOf, type RecordSet } from '../../../src/answers/record.ts';
import type { ProviderName } from '../../../src/planes/steering/dialects/dialect.ts';
import type { ZoneProvider } from '../../../src/planes/steering/providers/provider.ts';
import { SteeringError } from '../../../src/planes/steering/reasons.ts';
import type { HeldCheck } from '../../../src/planes/steering/records/checks.ts';
import { findRegistry } from '../../../src/planes/steering/records/registry.ts';
import { retiredIn, retiredName } from '../../../src/planes/steering/records/retired.ts';
import { newSettings } from './checks.ts';

interface KeyedCheck extends HeldCheck {
  readonly key: string;
}

/**
 * Connects to providers whose zones are in memory, one zone each; a batch is taken whole or refused with StaleGeneration, and a check that was retired
 * is not used again. Writing to a provider that is not in `working` fails.
 */
export function memoryProviders(
  working: ReadonlySet<ProviderName> = new Set(['powerdns', 'route53']),
): (name: ProviderName) => Promise<ZoneProvider> {
  const zones = new Map<ProviderName, ReadonlyMap<string, RecordSet>>();
  const checks = new Map<ProviderName, readonly KeyedCheck[]>();
  let made = 0;
  return async (name) => ({
    name,
    async read(zone) {
      const records = [...(zones.get(name)?.values() ?? [])];
      const names = new Set(retiredIn(findRegistry(zone, records)).map((one) => one.name));
      const [retired, held] = [true, false].map((wanted) =>
        (checks.get(name) ?? []).filter(({ id }) => names.has(retiredName(id)) === wanted),
      );
      return {
        zone,
        zoneId: name,
        records,
        healthChecks: new Map(held?.map(({ key, ...check }) => [key, check])),
        strayHealthChecks: [],
        retiredHealthChecks: retired?.map(({ id }) => id) ?? [],
      };
    },
    async createHealthChecks({ healthChecks }, wanted) {
      const created = wanted
        .filter(({ key }) => !healthChecks.has(key))
        .map((check): KeyedCheck => {
          made += 1;
          return { key: check.key, id: `id-${check.key}-${made}`, version: 1, settings: newSettings(check) };
        });
      checks.set(name, [...(checks.get(name) ?? []), ...created]);
      return new Map(
        [...healthChecks, ...created.map((one) => [one.key, one] as const)].map(([key, { id }]) => [key, id]),
      );
    },
    awaitHealth: async () => {},
    updateHealthChecks: async () => {},
    async deleteHealthChecks(_state, ids) {
      checks.set(name, checks.get(name)?.filter(({ id }) => !ids.includes(id)) ?? []);
    },
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
