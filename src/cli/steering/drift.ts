import { Command } from 'commander';
import { withoutUndefined } from '../../model/values.ts';
import { printResult } from '../output.ts';
import { addProviderOptions, type ProviderOptions, planBy } from './connect.ts';
import { atProvider } from './step.ts';

/** `tideline steering drift FILES...`: what somebody else edited of ours in the zones, and whom that leads elsewhere. */
export function register(): Command {
  const command = new Command('drift')
    .description(
      'Say what somebody else edited in the zones since they were applied: what it was and is, and who benefits',
    )
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them');
  addProviderOptions(command).addHelpText(
    'after',
    `
It compares each zone with what its last apply wrote, and not with the policies: steering plan does that.
Exit code 0: every zone is as it was written, 1: one was edited, or cannot be read, 2: bad input.`,
  );
  return command.action(async (paths: string[], options: ProviderOptions) => {
    const { readDrifts } = await import('../../planes/steering/plan/drift.ts');
    const { driftsToJson, renderDrifts } = await import('../../planes/steering/plan/drift-text.ts');
    const { zonesOf } = await import('../../planes/steering/compile/intent.ts');
    const { plans: drifts } = await planBy(paths, options, async (platform, { connect, nowMs, asked: { weights } }) =>
      readDrifts(platform, atProvider(zonesOf(platform), options.provider), connect, {
        nowMs,
        ...withoutUndefined({ weights }),
      }),
    );
    await printResult(options.output, { lines: () => renderDrifts(drifts), value: () => driftsToJson(drifts) });
    if (drifts.some((one) => 'problem' in one || one.isEdited || one.comparedWith === 'unfinished'))
      process.exitCode = 1;
  });
}
