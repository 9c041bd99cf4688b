import { neverGroups } from '../../../answers/answers.ts';
import { formatRecord } from '../../../answers/record.ts';
import { countedAlike } from '../../../model/country-weights.ts';
import { withoutUndefined } from '../../../model/values.ts';
import type { Outcome } from './apply.ts';
import { isoTime } from './guard.ts';
import { checksumOf, isEmpty, type ZonePlan } from './plan.ts';

/** The content of `renderPlans` for programs. The form is stable: fields are only ever added. */
export function plansToJson(plans: readonly ZonePlan[]): object {
  return {
    checksum: checksumOf(plans),
    empty: plans.every(isEmpty),
    ...trafficOf(plans),
    zones: plans.map((plan) => ({
      provider: plan.provider,
      zone: plan.zone,
      task: plan.task.kind,
      ...('rollback' in plan.task ? { rollback: plan.task.rollback } : {}),
      generation: plan.changes.registryBefore.generation,
      hosts: plan.impacts,
      recovery: plan.recoveries,
      heldBack: plan.heldBack,
      health: plan.health,
      windows: [...plan.windows].map(([host, window]) => ({ host, ...window })),
      needsApproval: plan.overGuard,
      notices: plan.notices,
      ...withoutUndefined({ quotas: plan.quotas }),
      healthChecks: {
        create: plan.checks.create,
        createCounting: plan.checks.createCounting,
        update: plan.checks.update,
        observe: plan.checks.observe.map(({ check }) => check.key),
        retire: plan.checks.retire,
        delete: plan.checks.delete,
      },
      collections: {
        create: plan.checks.collections.create,
        retire: plan.checks.collections.retire,
        delete: plan.checks.collections.delete,
      },
      records: { delete: plan.changes.delete.map(formatRecord), create: plan.changes.create.map(formatRecord) },
      batches: plan.batches.map(({ changes }) => changes.length),
      verified: plan.intent.policies.map(({ policy, answers, verification }) => ({
        policy: policy.metadata.name,
        ...verification,
        never: neverGroups(answers),
      })),
    })),
  };
}

/** For how much each country counts in the shares, and why; what was measured where something was. */
function trafficOf(plans: readonly ZonePlan[]): object {
  const { basis, measured } = plans[0]?.weights ?? countedAlike();
  if (measured === undefined) return { trafficModel: 'every country counts the same', trafficBasis: basis };
  const { measuredAtMs, requestsPerSecond } = measured;
  return {
    trafficModel: 'countries count by measured requests',
    trafficBasis: basis,
    demand: { measuredAt: isoTime(measuredAtMs), requestsPerSecond },
  };
}

/** The content of `renderOutcome` for programs. */
export function outcomeToJson({ checksum, applied, heldBack, inForce = [] }: Outcome): object {
  const standing = inForce.map(({ atMs, ...one }) => ({ ...one, at: isoTime(atMs) }));
  return { checksum, applied, heldBack, ...(standing.length > 0 ? { inForce: standing } : {}) };
}
