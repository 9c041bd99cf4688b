import { createHash } from 'node:crypto';
import { formatRecord } from '../../../answers/record.ts';
import type { ZoneAtProvider } from '../compile/intent.ts';
import type { ProviderName } from '../dialects/dialect.ts';
import { dialects } from '../dialects/table.ts';
import type { ZoneProvider, ZoneReader, ZoneState } from '../providers/provider.ts';
import { SteeringError } from '../reasons.ts';
import { withApplied } from '../records/applied.ts';
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
    plans.push({ provider, zone, state, restoration: restorationOf(zone, state.records, dialects[provider], nowMs) });
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
    const changes = restoration.batch?.changes ?? [];
    return [provider, zone, state.zoneId, changes.map(({ action, record }) => `${action} ${formatRecord(record)}`)];
  });
  return createHash('sha256').update(JSON.stringify(steps)).digest('hex').slice(0, 16);
}

/** The lines of the plans; the last one is the checksum. */
export function renderRestores(plans: readonly RestorePlan[]): readonly string[] {
  const lines = plans.flatMap(({ provider, zone, restoration: { batch, generation, recognised, left } }) => [
    `${provider} zone ${zone}: ${batch === undefined ? 'the generation record is whole' : `the generation record is made anew, as generation ${generation}`}`,
    ...recognised.map(({ host, by }) => `  ours: ${host}: ${by}`),
    ...left.map(
      ({ host, by }) => `  not taken: ${host}: ${by}; take it over with \`tideline steering adopt ${host} FOLDER\``,
    ),
    ...(batch?.changes ?? []).map(
      ({ action, record }) => `    ${action === 'DELETE' ? '-' : '+'} ${formatRecord(record)}`,
    ),
    '',
  ]);
  const isDone = plans.every(({ restoration }) => restoration.batch === undefined);
  return [...lines, isDone ? 'nothing to do' : `plan ${restoreChecksum(plans)}`];
}

/** The content of `renderRestores` for programs. */
export function restoresToJson(plans: readonly RestorePlan[]): object {
  return {
    checksum: restoreChecksum(plans),
    empty: plans.every(({ restoration }) => restoration.batch === undefined),
    zones: plans.map(({ provider, zone, restoration: { generation, recognised, left, batch } }) => ({
      provider,
      zone,
      generation,
      recognised,
      left,
      records: batch?.changes.map(({ action, record }) => ({ action, record: formatRecord(record) })) ?? [],
    })),
  };
}

/** Writes the generation records, one batch a zone, and beside them only who did it. */
export async function applyRestores(
  plans: readonly RestorePlan[],
  connect: (provider: ProviderName) => Promise<ZoneProvider>,
  { nowMs, ...author }: Author,
): Promise<Outcome> {
  const checksum = restoreChecksum(plans);
  const applied: AppliedZone[] = [];
  try {
    for (const { provider, zone, state, restoration } of plans) {
      if (restoration.batch === undefined) continue;
      const { generation } = restoration;
      const done = { plan: checksum, atMs: nowMs, ...author, task: 'restore', first: generation, generation };
      const batches = withApplied([restoration.batch], zone, state.records, {
        ...done,
        share: 0,
        inputs: 'none',
        records: 'none',
      });
      for (const batch of batches) await (await connect(provider)).applyBatch(state, batch, new Map());
      applied.push({ provider, zone, generation: restoration.generation, batches: 1 });
    }
  } catch (failure) {
    return { checksum, applied, heldBack: [], failure };
  }
  return { checksum, applied, heldBack: [] };
}
