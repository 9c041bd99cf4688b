import { Command } from 'commander';
import { printResult } from '../output.ts';
import { addProviderOptions, type ProviderOptions, planWith } from './connect.ts';

interface PlanOptions extends ProviderOptions {
  readonly detailedExitcode?: true;
}

/** `tideline steering plan FILES...`: prints what would change in DNS, and for whom. It never writes. */
export function register(): Command {
  const command = new Command('plan')
    .description('Show what the traffic policies would change in DNS, for whom, and the checksum of it')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them')
    .option('--detailed-exitcode', 'exit with 3 when there is something to apply');
  return addProviderOptions(command).action(async (paths: string[], options: PlanOptions) => {
    const plans = await planWith(paths, options);
    const { plansToJson } = await import('../../planes/steering/plan/json.ts');
    const { renderPlans } = await import('../../planes/steering/plan/text.ts');
    await printResult(options.output, { lines: () => renderPlans(plans), value: () => plansToJson(plans) });
    const { isEmpty } = await import('../../planes/steering/plan/plan.ts');
    if (options.detailedExitcode === true && !plans.every(isEmpty)) process.exitCode = 3;
  });
}
