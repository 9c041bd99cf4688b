import { Command } from 'commander';
import { freezeLine } from '../../model/platform/freezes.ts';
import type { Freeze } from '../../model/spec/kinds.ts';
import type { ParityView } from '../../model/steering-status.ts';
import { withoutUndefined } from '../../model/values.ts';
import { addTlsOptions } from '../options.ts';
import { type OutputFormat, printResult } from '../output.ts';
import { accessOf, type TlsArguments } from '../tls.ts';
import { addProviderOptions, type Planned, type ProviderOptions, planWith } from './connect.ts';

interface PlanOptions extends ProviderOptions, TlsArguments {
  readonly detailedExitcode?: true;
  readonly out?: string;
}

/** `tideline steering plan FILES...`: prints what would change in DNS, and for whom. It never writes. */
export function register(): Command {
  const command = new Command('plan')
    .description('Show what the traffic policies would change in DNS, for whom, and the checksum of it')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them')
    .option('--out <file>', 'keep the plan in this file, which `apply --plan` takes')
    .option('--if-approved <overlay...>', 'as if these TrafficOverlays were approved, to see what that would move')
    .option('--detailed-exitcode', 'exit with 3 when there is something to apply');
  return addTlsOptions(addProviderOptions(command)).action(async (paths: string[], options: PlanOptions) => {
    const { parityNow } = await import('../parity.ts');
    const access = await accessOf(options);
    let looking: Promise<readonly ParityView[]> | undefined;
    const planned = await planWith(paths, options, {
      health: 'ifNothingChanges',
      beside: (platform) => {
        looking = parityNow(platform, access);
      },
    });
    const { plans } = planned;
    if (options.out !== undefined) await (await import('./plan-file.ts')).keepPlans(options.out, plans);
    await printPlans(planned, options.output, await looking);
    const { isEmpty } = await import('../../planes/steering/plan/plan.ts');
    if (options.detailedExitcode === true && !plans.every(isEmpty)) process.exitCode = 3;
    exitIfHeldBack(plans);
  });
}

/** Prints plans, and the Freeze in force before anything else; where clusters were looked at, what they lack. */
export async function printPlans(
  { plans, frozen }: Planned,
  format: OutputFormat,
  parity: readonly ParityView[] = [],
): Promise<void> {
  const { plansToJson } = await import('../../planes/steering/plan/json.ts');
  const { renderPlans } = await import('../../planes/steering/plan/text.ts');
  const { delegationsOf, renderDelegations } = await import('./delegations.ts');
  const { renderParity } = await import('../../observe/parity-text.ts');
  const delegations = await delegationsOf(plans);
  await printResult(format, {
    lines: () => [
      ...frozenLines(frozen),
      ...renderDelegations(delegations),
      ...renderParity(parity),
      ...renderPlans(plans),
    ],
    value: () => ({ ...withoutUndefined({ frozen: frozen?.spec }), ...plansToJson(plans), delegations, parity }),
  });
}

/** A host that is held back is a failure, although the others are planned. */
export function exitIfHeldBack(plans: Planned['plans']): void {
  if (plans.some(({ heldBack }) => heldBack.length > 0)) process.exitCode = 1;
}

function frozenLines(frozen: Freeze | undefined): readonly string[] {
  return frozen === undefined ? [] : [freezeLine(frozen), '  apply is refused until it is thawed (Frozen)', ''];
}
