import { type Command, InvalidArgumentError } from 'commander';
import { addProviderOptions, connectProvider, type ProviderOptions } from './steering/connect.ts';

interface ApplyOptions extends ProviderOptions {
  readonly plan: string;
  readonly approveShare: number;
}

/** `tideline apply FILES... --plan CHECKSUM`: does exactly what that plan said, or refuses. */
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
    const { planAll } = await import('./steering/run.ts');
    const { checksumOf, isEmpty } = await import('../planes/steering/plan/plan.ts');
    const { applyZone, refuseUnapproved } = await import('../planes/steering/plan/apply.ts');
    const { SteeringError } = await import('../planes/steering/reasons.ts');
    const plans = await planAll(await loadPlatformOrThrow(paths), options, Date.now());
    const checksum = checksumOf(plans);
    if (checksum !== options.plan) {
      throw new SteeringError(
        'PlanChanged',
        `the plan is now ${checksum}, not ${options.plan}; look at it and apply that one`,
      );
    }
    refuseUnapproved(plans, options.approveShare);
    const applied: Applied[] = [];
    const say = (): void => {
      const json = `${JSON.stringify({ checksum, applied }, null, 2)}\n`;
      process.stdout.write(options.output === 'json' ? json : render(applied));
    };
    try {
      for (const plan of plans) {
        if (isEmpty(plan)) continue;
        await applyZone(plan, await connectProvider(plan.provider, options));
        const { provider, zone, batches } = plan;
        const generation = plan.changes.registryBefore.generation + batches.length;
        applied.push({ provider, zone, generation, batches: batches.length });
      }
    } catch (error) {
      // The zones before the one that failed have their new answers: who reads the error must know.
      if (applied.length > 0) say();
      throw error;
    }
    say();
  });
}

interface Applied {
  readonly provider: string;
  readonly zone: string;
  readonly generation: number;
  readonly batches: number;
}

function render(applied: readonly Applied[]): string {
  if (applied.length === 0) return 'nothing to do\n';
  return applied
    .map(({ provider, zone, generation }) => `${provider} zone ${zone}: generation ${generation} answers\n`)
    .join('');
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
