import { ChangeResourceRecordSetsCommand, GetChangeCommand, type Route53Client } from '@aws-sdk/client-route-53';
import { formatRecord, identityOf, type RecordSet } from '../../../../answers/record.ts';
import { sleep } from '../../../../runtime/clock.ts';
import { SteeringError } from '../../reasons.ts';
import type { Batch } from '../../records/batches.ts';
import { collectionsOf } from '../../records/collections.ts';
import { findRegistry } from '../../records/registry.ts';
import { staleZone } from '../../records/stale.ts';
import type { ZoneProvider, ZoneState } from '../provider.ts';
import { createMissing, deleteHealthCheck, updateHealthCheck } from './checks.ts';
import { createMissingCollections, deleteCollection } from './collections.ts';
import { toChange } from './convert.ts';
import { awaitHealth, type ObserveOptions } from './observe.ts';
import { readRegistryRecord, route53Reader } from './read.ts';
import { asSteeringError, errorName, type RetryOptions, retrying } from './retry.ts';

export interface Route53WriterOptions extends ObserveOptions {
  readonly inSyncLimitMs: number;
  /** Time for the name servers to take over a change whose identifier is not known, because the answer with it was lost. */
  readonly blindSyncMs: number;
}

/**
 * Writes to Route 53 by exact DELETE and CREATE only, never UPSERT: a batch either finds the zone as its plan saw it, or
 * changes nothing. A batch whose answer was lost is sent again; if the zone in the end holds its generation record, it was carried
 * out, which is success.
 */
export function route53(client: Route53Client, options: Route53WriterOptions): ZoneProvider {
  const reader = route53Reader(client, options);
  return {
    ...reader,
    createHealthChecks: (state, checks, generation) => createMissing(client, options, { state, checks, generation }),
    createCollections: (state, collections, generation) =>
      createMissingCollections(client, options, { state, collections, generation }),
    awaitHealth: (checks) => awaitHealth(client, options, checks),
    async updateHealthChecks(state, updates, registry) {
      if (textOf(await readRegistryRecord(client, options, state)) !== textOf(registry)) {
        throw staleZone(state.zone, { before: registry, now: (await reader.read(state.zone)).records });
      }
      for (const update of updates) await updateHealthCheck(client, options, update);
    },
    async applyBatch(state, batch, ids) {
      const changeId = await sendBatch({ client, options, reader, state, batch, ids });
      await (changeId === undefined ? waitBlindly(options) : waitInSync(client, options, changeId));
    },
    async deleteHealthChecks(state, ids) {
      const { records, retiredHealthChecks } = await reader.read(state.zone);
      const used = new Set(records.flatMap(({ healthCheck }) => healthCheck ?? []));
      const retired = new Set(retiredHealthChecks.filter((id) => !used.has(`id:${id}`)));
      for (const id of ids) if (retired.has(id)) await deleteHealthCheck(client, options, id);
    },
    async deleteCollections(state, ids) {
      const { records, collections } = await reader.read(state.zone);
      const used = collectionsOf(records);
      const retired = new Set((collections?.retired ?? []).filter((id) => !used.has(`id:${id}`)));
      for (const id of ids) if (retired.has(id)) await deleteCollection(client, options, id);
    },
  };
}

interface Sending {
  readonly client: Route53Client;
  readonly options: RetryOptions;
  readonly reader: ReturnType<typeof route53Reader>;
  readonly state: ZoneState;
  readonly batch: Batch;
  readonly ids: ReadonlyMap<string, string>;
}

/** Resolves with the identifier of the change, or with undefined when an earlier attempt, whose answer was lost, had made it. */
async function sendBatch(sending: Sending): Promise<string | undefined> {
  const { client, options, state, batch, ids } = sending;
  const idOf = (key: string): string => ids.get(key) ?? key.replace(/^id:/, '');
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
    if (!refusals.has(errorName(error)) && !maybeDone) throw asSteeringError(error, 'change records');
    return await judgeFailure(sending, error, maybeDone);
  }
}

/** Refusals of a batch that a newer plan may be the cause of: it changed the records, or deleted a health check that was unused. */
const refusals: ReadonlySet<string> = new Set(['InvalidChangeBatch', 'NoSuchHealthCheck']);

/**
 * Finds out what a failure means: returns when we had made the change already, throws StaleGeneration when the zone changed,
 * else the failure.
 */
async function judgeFailure(sending: Sending, error: unknown, maybeDone: boolean): Promise<undefined> {
  const { client, options, reader, state, batch } = sending;
  if (maybeDone && textOf(await readRegistryRecord(client, options, state)) === formatRecord(batch.after)) return;
  if (!refusals.has(errorName(error))) throw asSteeringError(error, 'change records');
  const now = (await reader.read(state.zone)).records;
  const text = textOf(findRegistry(state.zone, now));
  const texts = new Set(now.map(formatRecord));
  const differing = batch.changes.find(({ action, record }) => action === 'DELETE' && !texts.has(formatRecord(record)));
  if (text !== textOf(batch.before) || differing !== undefined) {
    const changed = { before: batch.before, now, differing: differing && identityOf(differing.record) };
    throw staleZone(state.zone, changed, { cause: error });
  }
  throw asSteeringError(error, 'change records');
}

function textOf(registry: RecordSet | undefined): string {
  return registry === undefined ? '' : formatRecord(registry);
}

async function waitBlindly({ clock, blindSyncMs, onWait }: Route53WriterOptions): Promise<void> {
  onWait?.(
    `the change is in force, but the answer that names it was lost; waiting ${blindSyncMs / 1000} s for the name servers`,
  );
  await sleep(clock, blindSyncMs);
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
