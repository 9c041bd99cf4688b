import { Command } from 'commander';
import type { ZonePlan } from '../../planes/steering/plan/plan.ts';
import { planBy } from './connect.ts';
import { addStepOptions, parseApply, type StepOptions, showOrCarryOut, zonesOfApply } from './step.ts';

/** `tideline steering rollback APPLY ZONE FILES...`: the zone answers by the policies of an earlier apply again. */
export function register(): Command {
  const command = new Command('rollback')
    .description('Lead a zone back to the policies of an earlier apply, which the zone itself keeps')
    .argument('<apply>', 'the generation or the plan of an apply, as `steering history` prints them', parseApply)
    .argument('<zone>', 'the DNS zone')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them');
  return addStepOptions(command).action(async (apply: string, zone: string, paths: string[], options: StepOptions) => {
    const { planRollback } = await import('../../planes/steering/plan/rollback.ts');
    const planned = await planBy(paths, options, async (platform, { connect, nowMs, asked }) => {
      const plans: ZonePlan[] = [];
      for (const { provider } of await zonesOfApply(platform, { apply, zone }, options.provider))
        plans.push(await planRollback(platform, await connect(provider), { zone, apply }, nowMs, asked));
      return plans;
    });
    await showOrCarryOut(planned, options);
  });
}
