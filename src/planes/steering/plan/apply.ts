import type { ZoneAtProvider } from '../compile/intent.ts';
import type { ProviderName } from '../dialects/dialect.ts';
import type { ZoneProvider } from '../providers/provider.ts';
import { SteeringError } from '../reasons.ts';
import { nextGeneration } from '../records/registry.ts';
import { checksumOf, isEmpty, type ZonePlan } from './plan.ts';

/** What a person approved. */
export interface Approval {
  /** Checksum of the plan that the person looked at. */
  readonly checksum: string;
  /** Share of traffic, 0..1, that may move whatever the guard allows; 0 when nobody was asked. */
  readonly share: number;
}

/** A zone that was written and answers as its plan says. */
export interface AppliedZone extends ZoneAtProvider {
  readonly generation: number;
  readonly batches: number;
}

/** How far the plans were carried out. */
export interface Outcome {
  readonly checksum: string;
  /** The zones that were written, in order. They keep their new answers also when a later zone failed. */
  readonly applied: readonly AppliedZone[];
  /** What ended the work; absent when everything was done. */
  readonly failure?: unknown;
}

/**
 * Carries out these plans, zone after zone, if they are those that a person approved; else throws PlanChanged or
 * NeedsApproval, and nothing is written. A zone that fails ends the work; the outcome lists the zones written before it.
 */
export async function applyPlans(
  plans: readonly ZonePlan[],
  approval: Approval,
  connect: (provider: ProviderName) => Promise<ZoneProvider>,
): Promise<Outcome> {
  const checksum = checksumOf(plans);
  refuseChanged(checksum, approval.checksum);
  refuseUnapproved(plans, approval.share);
  const applied: AppliedZone[] = [];
  try {
    for (const plan of plans.filter((candidate) => !isEmpty(candidate))) {
      await applyZone(plan, await connect(plan.provider));
      applied.push(appliedOf(plan));
    }
  } catch (failure) {
    return { checksum, applied, failure };
  }
  return { checksum, applied };
}

function appliedOf({ provider, zone, changes, batches }: ZonePlan): AppliedZone {
  return { provider, zone, generation: changes.registryBefore.generation + batches.length, batches: batches.length };
}

function refuseChanged(checksum: string, agreed: string): void {
  if (checksum === agreed) return;
  throw new SteeringError('PlanChanged', `the plan is now ${checksum}, not ${agreed}; look at it and apply that one`);
}

function refuseUnapproved(plans: readonly ZonePlan[], approvedShare: number): void {
  const over = plans.flatMap((plan) => plan.overGuard).filter(({ movedShare }) => movedShare > approvedShare + 1e-9);
  const worst = over.sort((a, b) => b.movedShare - a.movedShare)[0];
  if (worst === undefined) return;
  const share = Math.ceil(worst.movedShare * 1000) / 1000;
  throw new SteeringError(
    'NeedsApproval',
    `${worst.host}: the plan moves ${percent(worst.movedShare)} of the traffic, the guard allows ${percent(worst.allowedShare)};` +
      ` if that is right, add --approve-share ${share}`,
  );
}

/**
 * Creates health checks first, because records refer to them; then applies every batch in order and waits for each; at last
 * deletes the checks that nothing uses. A stop in the middle leaves every host with its old or its new answer, and the next
 * plan goes on from there.
 */
export async function applyZone(plan: ZonePlan, provider: ZoneProvider): Promise<void> {
  const { state, batches, intent, changes } = plan;
  const ids = await provider.createHealthChecks(state, intent.healthChecks, nextGeneration(changes.registryBefore));
  for (const batch of batches) await provider.applyBatch(state, batch, new Map([...state.healthChecks, ...ids]));
  const unused = plan.deleteHealthChecks.flatMap((key) => state.healthChecks.get(key) ?? []);
  const deleted = [...unused, ...state.strayHealthChecks];
  const registry = batches.at(-1)?.after ?? changes.before;
  if (deleted.length > 0) await provider.deleteHealthChecks(state, deleted, registry);
}

export function percent(share: number): string {
  return `${Math.round(share * 1000) / 10}%`;
}
