import { Command } from 'commander';
import { type ApprovalOptions, addApprovalOptions, carryOut } from './carry-out.ts';
import { addProviderOptions, planWith } from './connect.ts';

interface ApplyOptions extends ApprovalOptions {
  readonly plan: string;
}

/**
 * `tideline steering apply FILES... --plan CHECKSUM`: carries out exactly the plan with that checksum, or refuses; one that is in force
 * already is success.
 */
export function register(): Command {
  const command = new Command('apply')
    .description('Carry out exactly this plan, or refuse')
    .argument('<path...>', 'the same files as for the plan')
    .requiredOption('--plan <checksum|file>', 'the last line of `tideline steering plan`, or the file of its --out');
  return addProviderOptions(addApprovalOptions(command)).action(async (paths: string[], options: ApplyOptions) => {
    const { agreedChecksum } = await import('./plan-file.ts');
    const checksum = await agreedChecksum(options.plan);
    await carryOut(await planWith(paths, options), checksum, options);
  });
}
