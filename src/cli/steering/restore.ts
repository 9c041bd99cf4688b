import { Command } from 'commander';
import { withoutUndefined } from '../../model/values.ts';
import { printResult } from '../output.ts';
import { personAndMachine } from '../person.ts';
import { showProgress } from '../progress.ts';
import { finish, parseChecksum, refuseFrozen } from './carry-out.ts';
import { addProviderOptions, connectProvider, type ProviderOptions, planBy, reasonOption } from './connect.ts';
import { atProvider } from './step.ts';

interface RestoreOptions extends ProviderOptions {
  readonly plan?: string;
  readonly despiteFreeze?: true;
}

/** `tideline steering restore FILES...`: makes a lost or damaged generation record anew, from what the zone holds. */
export function register(): Command {
  const command = new Command('restore')
    .description(
      'Make the lost or damaged generation record of each zone anew, from what in the zone is ours beyond doubt',
    )
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them')
    .option('--plan <checksum>', 'carry out the plan that ended in this line', parseChecksum)
    .option('--despite-freeze', 'also while the platform is frozen')
    .addOption(reasonOption());
  return addProviderOptions(command).action(async (paths: string[], options: RestoreOptions) => {
    const restore = await import('../../planes/steering/plan/restore.ts');
    const { zonesOf } = await import('../../planes/steering/compile/intent.ts');
    const { plans, frozen } = await planBy(paths, options, (platform, { connect, nowMs }) =>
      restore.planRestores(atProvider(zonesOf(platform), options.provider), connect, nowMs),
    );
    if (options.plan === undefined) {
      await printResult(options.output, {
        lines: () => restore.renderRestores(plans),
        value: () => restore.restoresToJson(plans),
      });
      return;
    }
    await refuseFrozen(frozen, options);
    restore.refuseOtherRestores(plans, options.plan);
    const progress = showProgress();
    const connect = (name: Parameters<typeof connectProvider>[0]) => {
      progress.step(`${name}: writing`);
      return connectProvider(name, options, progress);
    };
    const author = { by: personAndMachine(), nowMs: Date.now(), ...withoutUndefined({ reason: options.reason }) };
    await finish([], await restore.applyRestores(plans, connect, author).finally(progress.end), options);
  });
}
