import {
  type Change,
  ChangeResourceRecordSetsCommand,
  CreateHealthCheckCommand,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
  type Route53Client,
} from '@aws-sdk/client-route-53';
import { healthPathOf } from '../../../src/model/contract.ts';

/** A dynamic record of octoDNS, as its YAML has it, with one address a pool, and whoever answers when a pool fails. */
export interface DynamicRecord {
  readonly ttl: number;
  /** What answers when a pool is not healthy. */
  readonly value: string;
  readonly pools: Readonly<Record<string, string>>;
  /** Countries and continents in octoDNS's form; the last rule has none. */
  readonly rules: readonly { readonly geos: readonly string[]; readonly pool: string }[];
}

interface Host {
  readonly zone: string;
  readonly zoneId: string;
  /** Relative to the zone. */
  readonly name: string;
  readonly record: DynamicRecord;
}

/** The record as octoDNS's YamlProvider keeps it. */
export function octodnsYaml({ ttl, value, pools, rules }: DynamicRecord): object {
  const poolOf = (address: string) => ({ values: [{ value: address }], fallback: null });
  const dynamic = {
    pools: Object.fromEntries(Object.entries(pools).map(([name, address]) => [name, poolOf(address)])),
    rules: rules.map(({ geos, pool }) => (geos.length === 0 ? { pool } : { geos, pool })),
  };
  return { type: 'A', ttl, value, dynamic };
}

/**
 * Makes the records of the host what octoDNS 1.22 with octodns-route53 1.3.1 makes of this record, in one batch, whatever stood at its name: values of each pool with a
 * health check, a failover to the default pool, and a geolocation record for each place of each rule.
 */
export async function writeAsOctodns(client: Route53Client, host: Host): Promise<void> {
  const checks = new Map<string, string>();
  for (const [pool, address] of Object.entries(host.record.pools))
    checks.set(pool, await createCheck(client, host, pool, address));
  const wanted = recordsOf(host, checks);
  const wantedKeys = new Set(wanted.map(keyOf));
  const gone = (await recordsAt(client, host)).filter((set) => !wantedKeys.has(keyOf(set)));
  const changes: Change[] = [
    ...gone.map((set): Change => ({ Action: 'DELETE', ResourceRecordSet: set })),
    ...wanted.map((set): Change => ({ Action: 'UPSERT', ResourceRecordSet: set })),
  ];
  await client.send(
    new ChangeResourceRecordSetsCommand({ HostedZoneId: host.zoneId, ChangeBatch: { Changes: changes } }),
  );
}

const keyOf = ({ Name, SetIdentifier }: ResourceRecordSet): string => `${Name} ${SetIdentifier}`;

/** The A records at the name of the host. */
async function recordsAt(client: Route53Client, { zone, zoneId, name }: Host): Promise<readonly ResourceRecordSet[]> {
  const { ResourceRecordSets = [] } = await client.send(
    new ListResourceRecordSetsCommand({ HostedZoneId: zoneId, StartRecordName: `${name}.${zone}.`, MaxItems: 300 }),
  );
  return ResourceRecordSets.filter(({ Name, Type }) => Name === `${name}.${zone}.` && Type === 'A');
}

async function createCheck(client: Route53Client, { name }: Host, pool: string, address: string): Promise<string> {
  const { HealthCheck } = await client.send(
    new CreateHealthCheckCommand({
      CallerReference: `0002:A:${name}:${pool}:${address}:${process.hrtime.bigint()}`,
      HealthCheckConfig: {
        Type: 'HTTP',
        IPAddress: address,
        Port: 80,
        ResourcePath: healthPathOf('video'),
        RequestInterval: 10,
        FailureThreshold: 6,
      },
    }),
  );
  return HealthCheck?.Id ?? '';
}

function recordsOf(
  { zone, zoneId, name, record }: Host,
  checks: ReadonlyMap<string, string>,
): readonly ResourceRecordSet[] {
  const { ttl, value, pools, rules } = record;
  const below = (label: string): string => `_octodns-${label}.${name}.${zone}.`;
  const set = (Name: string, more: Partial<ResourceRecordSet>): ResourceRecordSet => ({ Name, Type: 'A', ...more });
  const values = (...addresses: readonly string[]): Partial<ResourceRecordSet> => ({
    TTL: ttl,
    ResourceRecords: addresses.map((Value) => ({ Value })),
  });
  const alias = (DNSName: string): Partial<ResourceRecordSet> => ({
    AliasTarget: { DNSName, HostedZoneId: zoneId, EvaluateTargetHealth: true },
  });
  return [
    set(below('default-pool'), values(value)),
    ...Object.entries(pools).flatMap(([pool, address]) => [
      set(below(`${pool}-value`), {
        SetIdentifier: `${pool}-000`,
        Weight: 1,
        HealthCheckId: checks.get(pool) ?? '',
        ...values(address),
      }),
      set(below(`${pool}-pool`), {
        SetIdentifier: `${pool}-Primary`,
        Failover: 'PRIMARY',
        ...alias(below(`${pool}-value`)),
      }),
      set(below(`${pool}-pool`), {
        SetIdentifier: `${pool}-Secondary-default`,
        Failover: 'SECONDARY',
        ...alias(below('default-pool')),
      }),
    ]),
    ...rules.flatMap(({ geos, pool }, index) =>
      (geos.length === 0 ? ['*'] : geos).map((geo) =>
        set(`${name}.${zone}.`, {
          SetIdentifier: `${index}-${pool}-${geo === '*' ? 'None' : geo}`,
          GeoLocation: locationOf(geo),
          ...alias(below(`${pool}-pool`)),
        }),
      ),
    ),
  ];
}

function locationOf(geo: string): NonNullable<ResourceRecordSet['GeoLocation']> {
  const [continent = '', country] = geo.split('-');
  if (geo === '*') return { CountryCode: '*' };
  return country === undefined ? { ContinentCode: continent } : { CountryCode: country };
}

/** The record of a host that leads two countries to one cluster, two continents to another, and the others to a third, by their addresses. */
export function threeClusters({
  paris,
  newyork,
  cloud,
}: Readonly<Record<'paris' | 'newyork' | 'cloud', string>>): DynamicRecord {
  return {
    ttl: 30,
    value: cloud,
    pools: { paris, newyork, cloud },
    rules: [
      { geos: ['EU-FR', 'EU-BE'], pool: 'paris' },
      { geos: ['NA', 'SA'], pool: 'newyork' },
      { geos: [], pool: 'cloud' },
    ],
  };
}
