import { createHash } from 'node:crypto';
import { formatRecord } from '../../../answers/record.ts';
import type { ZoneAtProvider } from '../compile/intent.ts';
import type { ProviderName } from '../dialects/dialect.ts';
import { dialects } from '../dialects/table.ts';
import type { ZoneProvider, ZoneReader, ZoneState } from '../providers/provider.ts';
import { SteeringError } from '../reasons.ts';
import { withApplied, withRoom } from '../records/applied.ts';
import type { Batch } from '../records/batches.ts';
import type { Change } from '../records/change.ts';
import { type Restoration, restorationOf } from '../records/restore.ts';
import type { AppliedZone, Outcome } from './apply.ts';
import type { Author } from './window.ts';

/** What would be done about the generation record of one zone. */
export interface RestorePlan extends ZoneAtProvider {
  readonly state: ZoneState;
  readonly restoration: Restoration;
}

/** Reads these zones, and says which hosts are recognised as ours; throws a SteeringError when that must not be written. */
export async function planRestores(
  zones: readonly ZoneAtProvider[],
  connect: (provider: ProviderName) => Promise<ZoneReader>,
  nowMs: number,
): Promise<readonly RestorePlan[]> {
  const plans: RestorePlan[] = [];
  for (const { provider, zone } of zones) {
    const state = await (await connect(provider)).read(zone);
    const dialect = { ...dialects[provider], limits: withRoom(dialects[provider].limits) };
    plans.push({ provider, zone, state, restoration: restorationOf(zone, state.records, dialect, nowMs) });
  }
  return plans;
}

/** Throws PlanChanged unless a person agreed to exactly these plans. */
export function refuseOtherRestores(plans: readonly RestorePlan[], agreed: string): void {
  const checksum = restoreChecksum(plans);
  if (checksum === agreed) return;
  throw new SteeringError('PlanChanged', `the plan is now ${checksum}, not ${agreed}; look at it and apply that one`);
}

export function restoreChecksum(plans: readonly RestorePlan[]): string {
  const steps = plans.map(({ provider, zone, state, restoration }) => {
    const changes = restoration.batches.flatMap((batch) => batch.changes);
    return [provider, zone, state.zoneId, changes.map(({ action, record }) => `${action} ${formatRecord(record)}`)];
  });
  return createHash('sha256').update(JSON.stringify(steps)).digest('hex').slice(0, 16);
}

/** The lines of the plans; the last one is the checksum. */
export function renderRestores(plans: readonly RestorePlan[]): readonly string[] {
  const lines = plans.flatMap(({ provider, zone, restoration: { batches, generation, recognised, left } }) => [
    `${provider} zone ${zone}: ${batches.length === 0 ? 'the generation record is whole' : `the generation record is made anew, as generation ${generation}`}`,
    ...recognised.map(({ host, by }) => `  ours: ${host}: ${by}`),
    ...left.map(
      ({ host, by }) => `  not taken: ${host}: ${by}; take it over with \`tideline steering adopt ${host} FOLDER\``,
    ),
    ...netOf(batches).map(({ action, record }) => `    ${action === 'DELETE' ? '-' : '+'} ${formatRecord(record)}`),
    '',
  ]);
  const isDone = plans.every(({ restoration }) => restoration.batches.length === 0);
  return [...lines, isDone ? 'nothing to do' : `plan ${restoreChecksum(plans)}`];
}

/** The changes of all batches, without what one creates and the next deletes. */
function netOf(batches: readonly Batch[]): readonly Change[] {
  const between = new Set(batches.slice(0, -1).map(({ after }) => after));
  return batches.flatMap(({ changes }) => changes.filter(({ record }) => !between.has(record)));
}

/** The content of `renderRestores` for programs. */
export function restoresToJson(plans: readonly RestorePlan[]): object {
  return {
    checksum: restoreChecksum(plans),
    empty: plans.every(({ restoration }) => restoration.batches.length === 0),
    zones: plans.map(({ provider, zone, restoration: { generation, recognised, left, batches } }) => ({
      provider,
      zone,
      generation,
      recognised,
      left,
      records: netOf(batches).map(({ action, record }) => ({ action, record: formatRecord(record) })),
    })),
  };
}

/** Writes the generation records and those of hosts, and beside them only who did it. */
export async function applyRestores(
  plans: readonly RestorePlan[],
  connect: (provider: ProviderName) => Promise<ZoneProvider>,
  { nowMs, ...author }: Author,
): Promise<Outcome> {
  const checksum = restoreChecksum(plans);
  const applied: AppliedZone[] = [];
  try {
    for (const { provider, zone, state, restoration } of plans) {
      const { batches, generation } = restoration;
      if (batches.length === 0) continue;
      const done = { plan: checksum, atMs: nowMs, ...author, task: 'restore' };
      const signed = withApplied(batches, zone, state.records, {
        ...done,
        first: generation - batches.length + 1,
        generation,
        share: 0,
        inputs: 'none',
        records: 'none',
      });
      const writer = await connect(provider);
      for (const batch of signed) await writer.applyBatch(state, batch, new Map());
      applied.push({ provider, zone, generation, batches: batches.length });
    }
  } catch (failure) {
    return { checksum, applied, heldBack: [], failure };
  }
  return { checksum, applied, heldBack: [] };
}
