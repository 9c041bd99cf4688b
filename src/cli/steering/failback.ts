import { Command } from 'commander';
import { policyOfHost } from '../../model/platform/policies.ts';
import type { TrafficPolicy } from '../../model/spec/kinds.ts';
import type { Platform } from '../../model/spec/platform.ts';
import type { ZonePlan } from '../../planes/steering/plan/plan.ts';
import { type Means, planBy } from './connect.ts';
import { addStepOptions, type StepOptions, showOrCarryOut } from './step.ts';

/** `tideline steering failback HOST|POLICY CLUSTER FILES...`: users return to a cluster that was down, now. */
export function register(): Command {
  const command = new Command('failback')
    .description('End the hold of a cluster that was down, so that its users return to it')
    .argument('<host>', 'a host of a traffic policy, or the name of the policy')
    .argument('<cluster>', 'the cluster that is held back, as `steering plan` names it')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them');
  return addStepOptions(command).action(
    async (host: string, cluster: string, paths: string[], options: StepOptions) => {
      const planned = await planBy(paths, options, async (platform, means) => {
        const policy = await policyCalled(platform, host);
        return planReturn(platform, { policy, cluster }, options, means);
      });
      await showOrCarryOut(planned, options);
    },
  );
}

async function policyCalled(platform: Platform, name: string): Promise<TrafficPolicy> {
  const found = platform.policies.get(name) ?? policyOfHost(platform, name);
  if (found !== undefined) return found;
  const { answeringPolicy } = await import('../../planes/steering/plan/explain.ts');
  return answeringPolicy(platform, name);
}

/** The plans of those zones that hold the cluster back; throws NotHeld when none does. */
async function planReturn(
  platform: Platform,
  { policy, cluster }: { readonly policy: TrafficPolicy; readonly cluster: string },
  { provider }: StepOptions,
  { connect, nowMs, asked }: Means,
): Promise<readonly ZonePlan[]> {
  const { planStep } = await import('../../planes/steering/plan/plan.ts');
  const { SteeringError } = await import('../../planes/steering/reasons.ts');
  const purpose = { kind: 'everything', returned: { policy: policy.metadata.name, cluster } } as const;
  const { zone, providers } = policy.spec.dns;
  const plans: ZonePlan[] = [];
  let notHeld: unknown;
  for (const name of providers.filter((one) => provider === 'all' || provider === one)) {
    try {
      plans.push(await planStep(platform, await connect(name), { zone, purpose }, nowMs, asked));
    } catch (error) {
      if (!(error instanceof SteeringError) || error.reason !== 'NotHeld') throw error;
      notHeld = error;
    }
  }
  if (plans.length === 0 && notHeld !== undefined) throw notHeld;
  return plans;
}
