import {
  ChangeResourceRecordSetsCommand,
  CreateHealthCheckCommand,
  DeleteHealthCheckCommand,
  GetChangeCommand,
  type Route53Client,
} from '@aws-sdk/client-route-53';
import { formatRecord, type RecordSet } from '../../../../answers/record.ts';
import { sleep } from '../../../../runtime/clock.ts';
import type { HealthCheck } from '../../compile/entries.ts';
import { SteeringError } from '../../reasons.ts';
import type { Batch } from '../../records/batches.ts';
import { findRegistry } from '../../records/registry.ts';
import type { ZoneProvider, ZoneState } from '../provider.ts';
import { callerReference, toChange, toHealthCheckConfig } from './convert.ts';
import { route53Reader } from './read.ts';
import { asSteeringError, errorName, type RetryOptions, retrying } from './retry.ts';

export interface Route53WriterOptions extends RetryOptions {
  /** Pause before asking again whether a change has reached all name servers. */
  readonly pollMs: number;
  readonly inSyncLimitMs: number;
}

/**
 * Writes to Route 53 by exact DELETE and CREATE only, never UPSERT: a batch either finds the zone as its plan saw it, or
 * changes nothing. A batch whose answer was lost is sent again; if the zone then holds its generation record, it had been
 * carried out, which is success.
 */
export function route53(client: Route53Client, options: Route53WriterOptions): ZoneProvider {
  const reader = route53Reader(client, options);
  return {
    ...reader,
    createHealthChecks: (state, checks, generation) => createMissing(client, options, { state, checks, generation }),
    async applyBatch(state, batch, healthCheckIds) {
      const changeId = await sendBatch({ client, options, reader, state, batch, healthCheckIds });
      if (changeId !== undefined) await waitInSync(client, options, changeId);
    },
    async deleteHealthChecks(state, ids, registry) {
      const now = await reader.read(state.zone);
      if (textOf(findRegistry(state.zone, now.records)) !== textOf(registry)) return;
      const used = new Set(
        now.records.flatMap(({ healthCheck: key }) =>
          key === undefined ? [] : (now.healthChecks.get(key) ?? key.replace(/^id:/, '')),
        ),
      );
      for (const id of ids.filter((candidate) => !used.has(candidate))) await deleteHealthCheck(client, options, id);
    },
  };
}

async function createMissing(
  client: Route53Client,
  options: RetryOptions,
  wanted: { readonly state: ZoneState; readonly checks: readonly HealthCheck[]; readonly generation: number },
): Promise<ReadonlyMap<string, string>> {
  const { state, checks, generation } = wanted;
  const ids = new Map(state.healthChecks);
  for (const check of checks) {
    if (ids.has(check.key)) continue;
    const command = new CreateHealthCheckCommand({
      CallerReference: callerReference(state.zoneId, check.key, generation),
      HealthCheckConfig: toHealthCheckConfig(check),
    });
    const { HealthCheck } = await call('create a health check', options, () => client.send(command));
    if (HealthCheck?.Id !== undefined) ids.set(check.key, HealthCheck.Id);
  }
  return ids;
}

/** Deletes a check. One that does not exist counts as deleted: by a request whose answer was lost, or by another writer. */
async function deleteHealthCheck(client: Route53Client, options: RetryOptions, HealthCheckId: string): Promise<void> {
  try {
    await retrying(options, () => client.send(new DeleteHealthCheckCommand({ HealthCheckId })));
  } catch (error) {
    if (errorName(error) !== 'NoSuchHealthCheck') throw asSteeringError(error, 'delete a health check');
  }
}

interface Sending {
  readonly client: Route53Client;
  readonly options: RetryOptions;
  readonly reader: ReturnType<typeof route53Reader>;
  readonly state: ZoneState;
  readonly batch: Batch;
  readonly healthCheckIds: ReadonlyMap<string, string>;
}

/** Resolves with the identifier of the change, or with undefined when an earlier attempt, whose answer was lost, had made it. */
async function sendBatch(sending: Sending): Promise<string | undefined> {
  const { client, options, state, batch, healthCheckIds } = sending;
  const idOf = (key: string): string => healthCheckIds.get(key) ?? key.replace(/^id:/, '');
  const command = new ChangeResourceRecordSetsCommand({
    HostedZoneId: state.zoneId,
    ChangeBatch: { Comment: 'tideline', Changes: batch.changes.map((change) => toChange(change, state.zoneId, idOf)) },
  });
  let maybeDone = false;
  try {
    const answer = await retrying(
      options,
      () => client.send(command),
      () => {
        maybeDone = true;
      },
    );
    return answer.ChangeInfo?.Id?.replace(/^\/change\//, '');
  } catch (error) {
    if (errorName(error) !== 'InvalidChangeBatch') throw asSteeringError(error, 'change records');
    return await judgeRefusal(sending, error, maybeDone);
  }
}

/**
 * Finds why a batch was refused: returns when we had made the change already, throws StaleGeneration when the zone changed,
 * else the refusal.
 */
async function judgeRefusal(sending: Sending, error: unknown, maybeDone: boolean): Promise<undefined> {
  const { reader, state, batch } = sending;
  const now = (await reader.read(state.zone)).records;
  const text = textOf(findRegistry(state.zone, now));
  if (maybeDone && text === formatRecord(batch.after)) return undefined;
  const deletedAsSeen = batch.changes
    .filter(({ action }) => action === 'DELETE')
    .every(({ record }) => now.some((current) => formatRecord(current) === formatRecord(record)));
  if (text !== textOf(batch.before) || !deletedAsSeen) {
    throw new SteeringError('StaleGeneration', `the zone ${state.zone} was changed since it was read`, {
      cause: error,
    });
  }
  throw asSteeringError(error, 'change records');
}

function textOf(registry: RecordSet | undefined): string {
  return registry === undefined ? '' : formatRecord(registry);
}

async function waitInSync(client: Route53Client, options: Route53WriterOptions, Id: string): Promise<void> {
  const deadline = options.clock.monotonic() + options.inSyncLimitMs;
  for (;;) {
    const answer = await call('follow a change', options, () => client.send(new GetChangeCommand({ Id })));
    if (answer.ChangeInfo?.Status === 'INSYNC') return;
    if (options.clock.monotonic() > deadline) {
      throw new SteeringError('ProviderUnreachable', `change ${Id} was accepted but is not on all name servers yet`);
    }
    await sleep(options.clock, options.pollMs);
  }
}

async function call<T>(what: string, options: RetryOptions, send: () => Promise<T>): Promise<T> {
  try {
    return await retrying(options, send);
  } catch (error) {
    throw asSteeringError(error, what);
  }
}
