import { formatRecord } from '../../../answers/record.ts';
import type { Outcome } from './apply.ts';
import { checksumOf, isEmpty, type ZonePlan } from './plan.ts';

/** The content of `renderPlans` for programs. The form is stable: fields are only ever added. */
export function plansToJson(plans: readonly ZonePlan[]): unknown {
  return {
    checksum: checksumOf(plans),
    empty: plans.every(isEmpty),
    trafficModel: 'every country counts the same',
    zones: plans.map((plan) => ({
      provider: plan.provider,
      zone: plan.zone,
      generation: plan.changes.registryBefore.generation,
      hosts: plan.impacts,
      needsApproval: plan.overGuard,
      notices: plan.notices,
      healthChecks: {
        create: plan.createHealthChecks,
        delete: [...plan.deleteHealthChecks, ...plan.state.strayHealthChecks],
      },
      records: { delete: plan.changes.delete.map(formatRecord), create: plan.changes.create.map(formatRecord) },
      batches: plan.batches.map(({ changes }) => changes.length),
      verified: plan.intent.policies.map(({ policy, verification }) => ({
        policy: policy.metadata.name,
        ...verification,
      })),
    })),
  };
}

/** The content of `renderOutcome` for programs. */
export function outcomeToJson({ checksum, applied }: Outcome): unknown {
  return { checksum, applied };
}
