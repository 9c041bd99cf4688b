import { type Command, InvalidArgumentError } from 'commander';
import type { Outcome } from '../planes/steering/plan/apply.ts';
import { printJson, printLines } from '../runtime/print.ts';
import { addProviderOptions, connectProvider, connectReader, type ProviderOptions } from './steering/connect.ts';

interface ApplyOptions extends ProviderOptions {
  readonly plan: string;
  readonly approveShare: number;
}

/** `tideline apply FILES... --plan CHECKSUM`: carries out exactly the plan with that checksum, or refuses. */
export function register(program: Command): void {
  addProviderOptions(
    program
      .command('apply')
      .description('Carry out exactly the plan with this checksum, or refuse')
      .argument('<path...>', 'the same files as for the plan')
      .requiredOption('--plan <checksum>', 'the last line of `tideline plan`', parseChecksum)
      .option(
        '--approve-share <share>',
        'move up to this share of the traffic (0..1), whatever the guard says',
        parseShare,
        0,
      ),
  ).action(async (paths: string[], options: ApplyOptions) => {
    const { loadPlatformOrThrow } = await import('../platform/load.ts');
    const { planZones } = await import('../planes/steering/plan/plan.ts');
    const { applyPlans } = await import('../planes/steering/plan/apply.ts');
    const platform = await loadPlatformOrThrow(paths);
    const plans = await planZones(platform, options.provider, (name) => connectReader(name, options), Date.now());
    const approval = { checksum: options.plan, share: options.approveShare };
    const outcome = await applyPlans(plans, approval, (name) => connectProvider(name, options));
    const failed = 'failure' in outcome;
    // The zones before the one that failed have their new answers: the reader of the error must know that.
    if (!failed || outcome.applied.length > 0) await printOutcome(outcome, options.output);
    if (failed) throw outcome.failure;
  });
}

async function printOutcome(outcome: Outcome, format: ProviderOptions['output']): Promise<void> {
  if (format === 'json') {
    const { outcomeToJson } = await import('../planes/steering/plan/json.ts');
    printJson(outcomeToJson(outcome));
  } else {
    const { renderOutcome } = await import('../planes/steering/plan/text.ts');
    printLines(renderOutcome(outcome));
  }
}

function parseChecksum(text: string): string {
  if (!/^[0-9a-f]{16}$/.test(text))
    throw new InvalidArgumentError('Expected the 16 characters that `tideline plan` printed.');
  return text;
}

function parseShare(text: string): number {
  const share = Number(text);
  if (text.trim() === '' || !(share >= 0 && share <= 1))
    throw new InvalidArgumentError('Expected a number from 0 to 1.');
  return share;
}
