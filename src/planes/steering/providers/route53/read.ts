import {
  type HealthCheck,
  type HealthCheckConfig,
  ListHealthChecksCommand,
  ListHostedZonesByNameCommand,
  ListResourceRecordSetsCommand,
  type ListResourceRecordSetsCommandOutput,
  type Route53Client,
} from '@aws-sdk/client-route-53';
import type { RecordSet } from '../../../../answers/record.ts';
import { withoutUndefined } from '../../../../model/values.ts';
import type { Collection } from '../../compile/collections.ts';
import { SteeringError } from '../../reasons.ts';
import type { HeldCheck } from '../../records/checks.ts';
import type { HeldCollections } from '../../records/collections.ts';
import { findRegistry, registryName } from '../../records/registry.ts';
import { retiredIn, retiredName } from '../../records/retired.ts';
import type { OtherCheck, ZoneReader, ZoneState } from '../provider.ts';
import { heldCollections, readCollections } from './collections.ts';
import {
  collectionNamed,
  fromName,
  keyOfConfig,
  referencePrefix,
  settingsOfConfig,
  toRecord,
  withNetworks,
} from './convert.ts';
import { readQuotas } from './quotas.ts';
import { asSteeringError, type RetryOptions, retrying } from './retry.ts';
import { StatusReader } from './status.ts';

/** Reads whole zones: their records, and the health checks that are ours in them. Sends GET requests only. */
export function route53Reader(client: Route53Client, retry: RetryOptions): ZoneReader {
  const statuses = new StatusReader(client, retry);
  return {
    name: 'route53',
    read: (zone, asked) => readZone(client, retry, zone, asked),
    readQuotas: ({ zoneId }, used) => readQuotas(client, retry, zoneId, used),
    readHealth: ({ healthChecks, otherHealthChecks = new Map() }, keys) =>
      statuses.read(new Map([...healthChecks, ...otherHealthChecks].map(([key, { id }]) => [key, id])), keys),
  };
}

async function readZone(
  client: Route53Client,
  retry: RetryOptions,
  zone: string,
  { networks } = { networks: false },
): Promise<ZoneState> {
  try {
    const zoneId = await findZone(client, retry, zone);
    const checks = await allHealthChecks(client, retry);
    const all = await allRecords(client, retry, zoneId);
    const ours = ourHealthChecks(checks, { zone, zoneId }, all);
    const keyById = new Map([...ours.byKey].map(([key, { id }]) => [id, key]));
    const { collections, collectionOf } = await collectionsIn(client, retry, { zone, zoneId, networks }, all, ours);
    const records = all.map((record) =>
      withNetworks(
        record.healthCheck === undefined
          ? record
          : { ...record, healthCheck: keyById.get(record.healthCheck) ?? otherKey(record.healthCheck) },
        collectionOf,
      ),
    );
    return {
      zone,
      zoneId,
      records,
      healthChecks: ours.byKey,
      otherHealthChecks: othersOf(checks, keyById),
      strayHealthChecks: ours.stray,
      retiredHealthChecks: ours.retired,
      ...withoutUndefined({ collections }),
      ...clockOf(client),
    };
  } catch (error) {
    throw asSteeringError(error, `read the zone ${zone}`);
  }
}

interface Collections {
  readonly collections?: HeldCollections;
  /** What a collection of ours holds, by identifier; one that no record of a plan may name has its identifier in place of its key. */
  readonly collectionOf: (id: string) => Collection | undefined;
}

/**
 * The collections of ours. Asked for where a plan needs them, where a record names one, and where something was retired that is no health check:
 * most zones have none, and their credentials no permission for it.
 */
async function collectionsIn(
  client: Route53Client,
  retry: RetryOptions,
  { zone, zoneId, networks }: Pick<ZoneState, 'zone' | 'zoneId'> & { readonly networks: boolean },
  records: readonly RecordSet[],
  checks: OurHealthChecks,
): Promise<Collections> {
  const used = new Set(records.flatMap((record) => collectionNamed(record)?.id ?? []));
  const retired = new Set(retiredIn(findRegistry(zone, records)).map(({ name }) => name));
  if (!networks && used.size === 0 && retired.size <= checks.retired.length) return { collectionOf: () => undefined };
  const found = await readCollections(client, retry, zoneId);
  const collections = heldCollections(found, used, retired);
  const current = new Set([...collections.byKey.values()].map(({ id }) => id));
  return {
    collections,
    collectionOf: (id) => {
      const content = found.ours.get(id)?.content;
      return content === undefined || current.has(id) ? content : { ...content, key: otherKey(id) };
    },
  };
}

/** The SDK compares the clocks at each answer, and notes a difference of more than five minutes because signatures need it. */
function clockOf({ config }: Route53Client): Pick<ZoneState, 'clockAheadMs'> {
  return config.systemClockOffset === 0 ? {} : { clockAheadMs: -config.systemClockOffset };
}

/**
 * The public hosted zone of exactly this name. Throws when there are several: only one is delegated to, and we cannot know
 * which.
 */
async function findZone(client: Route53Client, retry: RetryOptions, zone: string): Promise<string> {
  const command = new ListHostedZonesByNameCommand({ DNSName: `${zone}.`, MaxItems: 10 });
  const { HostedZones = [] } = await retrying(retry, () => client.send(command));
  const ids = HostedZones.filter(({ Name, Config }) => fromName(Name ?? '') === zone && Config?.PrivateZone !== true)
    .flatMap(({ Id }) => Id ?? [])
    .map((id) => id.replace(/^\/hostedzone\//, ''));
  const [found, ...others] = ids;
  if (found === undefined) throw new SteeringError('ZoneMissing', `Route 53 has no public hosted zone ${zone}`);
  if (others.length > 0) {
    throw new SteeringError('ZoneAmbiguous', `Route 53 has several public hosted zones ${zone}: ${ids.join(', ')}`);
  }
  return found;
}

/** The generation record of a zone as it stands; undefined when there is none. */
export async function readRegistryRecord(
  client: Route53Client,
  retry: RetryOptions,
  { zone, zoneId: HostedZoneId }: Pick<ZoneState, 'zone' | 'zoneId'>,
): Promise<RecordSet | undefined> {
  const command = new ListResourceRecordSetsCommand({
    HostedZoneId,
    MaxItems: 1,
    StartRecordName: `${registryName(zone)}.`,
    StartRecordType: 'TXT',
  });
  try {
    const { ResourceRecordSets = [] } = await retrying(retry, () => client.send(command));
    return findRegistry(
      zone,
      ResourceRecordSets.map((set) => toRecord(set, (id) => id)),
    );
  } catch (error) {
    throw asSteeringError(error, `read the generation record of ${zone}`);
  }
}

/** The records of a zone, which name health checks by their identifiers. Of each page only they are kept: a zone may have many. */
async function allRecords(
  client: Route53Client,
  retry: RetryOptions,
  HostedZoneId: string,
): Promise<readonly RecordSet[]> {
  const records: RecordSet[] = [];
  let page: ListResourceRecordSetsCommandOutput | undefined;
  do {
    const command = new ListResourceRecordSetsCommand({
      HostedZoneId,
      MaxItems: 300,
      StartRecordName: page?.NextRecordName,
      StartRecordType: page?.NextRecordType,
      StartRecordIdentifier: page?.NextRecordIdentifier,
    });
    page = await retrying(retry, () => client.send(command));
    for (const set of page.ResourceRecordSets ?? [])
      records.push(
        withoutOwnZone(
          toRecord(set, (id) => id),
          HostedZoneId,
        ),
      );
  } while (page.IsTruncated === true);
  return records;
}

/** The key of a check that is not ours in the zone. */
const otherKey = (id: string): string => `id:${id}`;

/** Types of checks of which Route 53 tells no observations. */
const untold: ReadonlySet<string | undefined> = new Set(['CALCULATED', 'CLOUDWATCH_METRIC', 'RECOVERY_CONTROL']);

function othersOf(checks: readonly HealthCheck[], ours: ReadonlyMap<string, string>): ReadonlyMap<string, OtherCheck> {
  return new Map(
    checks.flatMap(({ Id: id, HealthCheckConfig: config }) => {
      if (id === undefined || ours.has(id)) return [];
      const { disabled, inverted } = settingsOfConfig(config);
      const other: OtherCheck = {
        id,
        settings: { disabled, inverted },
        isTold: !untold.has(config?.Type),
        ...withoutUndefined({ calculated: calculationOf(config, ours) }),
      };
      return [[otherKey(id), other] as const];
    }),
  );
}

function calculationOf(
  config: HealthCheckConfig | undefined,
  ours: ReadonlyMap<string, string>,
): OtherCheck['calculated'] | undefined {
  if (config?.Type !== 'CALCULATED') return undefined;
  const children = (config.ChildHealthChecks ?? []).map((id) => ours.get(id) ?? otherKey(id));
  return { children, threshold: config.HealthThreshold ?? children.length };
}

interface OurHealthChecks {
  readonly byKey: ReadonlyMap<string, HeldCheck>;
  readonly stray: readonly string[];
  readonly retired: readonly string[];
}

/**
 * The health checks whose caller reference is ours, by the key of their settings. Of several with one key, one that records use
 * comes first; the others are stray. A retired one is never used again, whatever its key.
 */
function ourHealthChecks(
  checks: readonly HealthCheck[],
  { zone, zoneId }: Pick<ZoneState, 'zone' | 'zoneId'>,
  records: readonly RecordSet[],
): OurHealthChecks {
  const used = new Set(records.flatMap(({ healthCheck }) => healthCheck ?? []));
  const registry = findRegistry(zone, records);
  const retiredNames = new Set(retiredIn(registry).map(({ name }) => name));
  const prefix = referencePrefix(zoneId);
  const ours = checks.filter(({ CallerReference }) => CallerReference?.startsWith(prefix) === true);
  const isUsed = ({ Id }: HealthCheck): boolean => used.has(Id ?? '');
  const byKey = new Map<string, HeldCheck>();
  const stray: string[] = [];
  const retired: string[] = [];
  const counts = ({ HealthCheckConfig: config }: HealthCheck): boolean => config?.Type === 'CALCULATED';
  const usedFirst = [...ours.filter(isUsed), ...ours.filter((one) => !isUsed(one))];
  // A check that counts others has its key of theirs.
  const keys = new Map<string, string>();
  for (const check of [...usedFirst.filter((one) => !counts(one)), ...usedFirst.filter(counts)]) {
    const { Id: id, HealthCheckVersion: version = 0, HealthCheckConfig: config } = check;
    if (id === undefined) continue;
    const key = keyOfConfig(config, keys);
    if (retiredNames.has(retiredName(id))) retired.push(id);
    else if (byKey.has(key)) stray.push(id);
    else {
      byKey.set(key, { id, version, settings: settingsOfConfig(config) });
      keys.set(id, key);
    }
  }
  return { byKey, stray, retired };
}

async function allHealthChecks(client: Route53Client, retry: RetryOptions): Promise<readonly HealthCheck[]> {
  const checks: HealthCheck[] = [];
  let marker: string | undefined;
  do {
    const command = new ListHealthChecksCommand({ MaxItems: 100, Marker: marker });
    const page = await retrying(retry, () => client.send(command));
    checks.push(...(page.HealthChecks ?? []));
    marker = page.IsTruncated === true ? page.NextMarker : undefined;
  } while (marker !== undefined);
  return checks;
}

/** Leaves out the zone of an alias that leads to a name of its own zone, as all aliases of ours do. */
function withoutOwnZone(record: RecordSet, zoneId: string): RecordSet {
  const { target } = record;
  if (target.kind !== 'alias' || target.zoneId !== zoneId) return record;
  const { zoneId: _own, ...rest } = target;
  return { ...record, target: rest };
}
