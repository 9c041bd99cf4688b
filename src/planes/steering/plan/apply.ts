import type { ZoneProvider } from '../providers/provider.ts';
import { SteeringError } from '../reasons.ts';
import type { ZonePlan } from './plan.ts';

/** Share of traffic, 0..1, that a person agreed to move; 0 when nobody was asked. */
export function refuseUnapproved(plans: readonly ZonePlan[], approvedShare: number): void {
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
 * Health checks first, because records refer to them; then every batch in order, each waited for; at last the checks that
 * nothing uses. A stop in the middle leaves every host with its old or its new answer, and the next plan goes on from there.
 */
export async function applyZone(plan: ZonePlan, provider: ZoneProvider): Promise<void> {
  const { state, batches, intent, changes } = plan;
  const generation = changes.registryBefore.generation + 1;
  const ids = await provider.createHealthChecks(state, intent.healthChecks, generation);
  for (const batch of batches) await provider.applyBatch(state, batch, new Map([...state.healthChecks, ...ids]));
  const unused = plan.deleteHealthChecks.flatMap((key) => state.healthChecks.get(key) ?? []);
  const doomed = [...unused, ...state.strayHealthChecks];
  const registry = batches.at(-1)?.after ?? changes.before;
  if (doomed.length > 0) await provider.deleteHealthChecks(state, doomed, registry);
}

export function percent(share: number): string {
  return `${Math.round(share * 1000) / 10}%`;
}
