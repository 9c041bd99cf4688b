import { Command, InvalidArgumentError } from 'commander';
import type { Outcome } from '../../planes/steering/plan/apply.ts';
import { printResult } from '../output.ts';
import { showProgress } from '../progress.ts';
import { addProviderOptions, connectProvider, type ProviderOptions, planWith } from './connect.ts';

interface ApplyOptions extends ProviderOptions {
  readonly plan: string;
  readonly approveShare: number;
}

/** `tideline steering apply FILES... --plan CHECKSUM`: carries out exactly the plan with that checksum, or refuses. */
export function register(): Command {
  const command = new Command('apply')
    .description('Carry out exactly the plan with this checksum, or refuse')
    .argument('<path...>', 'the same files as for the plan')
    .requiredOption('--plan <checksum>', 'the last line of `tideline steering plan`', parseChecksum)
    .option(
      '--approve-share <share>',
      'move up to this share of the traffic (0..1), whatever the guard says',
      parseShare,
      0,
    );
  return addProviderOptions(command).action(async (paths: string[], options: ApplyOptions) => {
    const { applyPlans } = await import('../../planes/steering/plan/apply.ts');
    const plans = await planWith(paths, options);
    const approval = { checksum: options.plan, share: options.approveShare };
    const progress = showProgress();
    const outcome = await applyPlans(plans, approval, (name) => {
      progress.step(`${name}: writing`);
      return connectProvider(name, options, progress);
    }).finally(progress.end);
    const failed = 'failure' in outcome;
    // The zones before the one that failed have their new answers: the reader of the error must know that.
    if (!failed || outcome.applied.length > 0) await printOutcome(outcome, options.output);
    if (failed) throw outcome.failure;
  });
}

async function printOutcome(outcome: Outcome, format: ProviderOptions['output']): Promise<void> {
  const { outcomeToJson } = await import('../../planes/steering/plan/json.ts');
  const { renderOutcome } = await import('../../planes/steering/plan/text.ts');
  await printResult(format, { lines: () => renderOutcome(outcome), value: () => outcomeToJson(outcome) });
}

function parseChecksum(text: string): string {
  if (!/^[0-9a-f]{16}$/.test(text))
    throw new InvalidArgumentError('Expected the 16 characters that `tideline steering plan` printed.');
  return text;
}

function parseShare(text: string): number {
  const share = Number(text);
  if (text.trim() === '' || !(share >= 0 && share <= 1))
    throw new InvalidArgumentError('Expected a number from 0 to 1.');
  return share;
}
