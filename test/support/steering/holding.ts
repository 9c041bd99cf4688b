import type { RecordSet } from '../../../src/answers/record.ts';
import type { Platform } from '../../../src/model/spec/platform.ts';
import { intentOf } from '../../../src/planes/steering/compile/intent.ts';
import type { OtherCheck, ZoneReader } from '../../../src/planes/steering/providers/provider.ts';
import type { CheckSettings } from '../../../src/planes/steering/records/checks.ts';
import { hostRecord } from '../../../src/planes/steering/records/host-records.ts';
import { finishedHead, registryRecord } from '../../../src/planes/steering/records/registry.ts';

const zone = 'video.example';

/** What somebody did at the provider's console. */
export interface Meddling {
  /** Settings of the checks of ours that watch these addresses. */
  readonly settings?: Readonly<Record<string, Partial<CheckSettings>>>;
  /** Checks of others, by the key that records name them with. */
  readonly others?: ReadonlyMap<string, OtherCheck>;
  readonly change?: (record: RecordSet) => RecordSet;
  /** What stands in the zone in place of all that is ours. */
  readonly instead?: readonly RecordSet[];
}

/** A zone that holds what the platform wants; of the endpoints of checks is told what `told` says, of addresses or of keys of others. */
export function holding(
  platform: Platform,
  told: Readonly<Record<string, boolean>>,
  { settings = {}, others = new Map(), change = (record) => record, instead }: Meddling = {},
): ZoneReader & { asked: string[][] } {
  const { wanted, healthChecks } = intentOf(platform, 'route53', zone, 0);
  const registry = registryRecord(zone, finishedHead(1, wanted.records));
  const ours = [...wanted.records.map(change), registry, ...wanted.hosts.map((host) => hostRecord(zone, host))];
  const asked: string[][] = [];
  return {
    name: 'route53',
    asked,
    read: async () => ({
      zone,
      zoneId: 'Z1',
      records: instead ?? ours,
      healthChecks: new Map(
        instead !== undefined
          ? []
          : healthChecks.map(({ key, address, port, hosts, failureThreshold }) => {
              const asMade = { port, host: hosts[0] ?? '', failureThreshold, disabled: false, inverted: false };
              return [key, { id: `id-${key}`, version: 1, settings: { ...asMade, ...settings[address] } }];
            }),
      ),
      otherHealthChecks: others,
      strayHealthChecks: [],
      retiredHealthChecks: [],
    }),
    async readHealth(_state, keys) {
      asked.push([...keys]);
      const addresses = new Map(healthChecks.map(({ key, address }) => [key, address]));
      return new Map(
        keys.flatMap((key) => {
          const healthy = told[addresses.get(key) ?? key];
          return healthy === undefined ? [] : [[key, healthy] as const];
        }),
      );
    },
  };
}
