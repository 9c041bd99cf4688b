import {
  type HealthCheck,
  ListHealthChecksCommand,
  ListHostedZonesByNameCommand,
  ListResourceRecordSetsCommand,
  type ListResourceRecordSetsCommandOutput,
  type ResourceRecordSet,
  type Route53Client,
} from '@aws-sdk/client-route-53';
import type { RecordSet } from '../../../../answers/record.ts';
import { SteeringError } from '../../reasons.ts';
import type { ZoneReader, ZoneState } from '../provider.ts';
import { fromName, keyOfConfig, referencePrefix, toRecord } from './convert.ts';
import { asSteeringError, type RetryOptions, retrying } from './retry.ts';

/** Reads whole zones: their records, and the health checks that are ours in them. Sends GET requests only. */
export function route53Reader(client: Route53Client, retry: RetryOptions): ZoneReader {
  return { name: 'route53', read: (zone) => readZone(client, retry, zone) };
}

async function readZone(client: Route53Client, retry: RetryOptions, zone: string): Promise<ZoneState> {
  try {
    const zoneId = await findZone(client, retry, zone);
    const ours = await ourHealthChecks(client, retry, zoneId);
    const keyById = new Map([...ours.byKey].map(([key, id]) => [id, key]));
    const sets = await allRecords(client, retry, zoneId);
    const records = sets.map((set) =>
      withoutOwnZone(
        toRecord(set, (id) => keyById.get(id) ?? `id:${id}`),
        zoneId,
      ),
    );
    return { zone, zoneId, records, healthChecks: ours.byKey, strayHealthChecks: ours.stray };
  } catch (error) {
    throw asSteeringError(error, `read the zone ${zone}`);
  }
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

async function allRecords(
  client: Route53Client,
  retry: RetryOptions,
  HostedZoneId: string,
): Promise<readonly ResourceRecordSet[]> {
  const sets: ResourceRecordSet[] = [];
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
    sets.push(...(page.ResourceRecordSets ?? []));
  } while (page.IsTruncated === true);
  return sets;
}

interface OurHealthChecks {
  readonly byKey: ReadonlyMap<string, string>;
  readonly stray: readonly string[];
}

/**
 * The health checks whose caller reference is ours. One is stray when its settings no longer match its reference, or its key is
 * a duplicate.
 */
async function ourHealthChecks(client: Route53Client, retry: RetryOptions, zoneId: string): Promise<OurHealthChecks> {
  const prefix = referencePrefix(zoneId);
  const byKey = new Map<string, string>();
  const stray: string[] = [];
  for (const check of await allHealthChecks(client, retry)) {
    const { Id, CallerReference } = check;
    if (Id === undefined || CallerReference?.startsWith(prefix) !== true) continue;
    const key = CallerReference.slice(prefix.length).split('/')[0] ?? '';
    if (byKey.has(key) || keyOfConfig(check.HealthCheckConfig) !== key) stray.push(Id);
    else byKey.set(key, Id);
  }
  return { byKey, stray };
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
