import { Command } from 'commander';
import { printResult } from '../output.ts';
import { addZoneOptions, type ProviderOptions, planBy } from './connect.ts';
import { zonesCalled } from './step.ts';

/** `tideline steering history ZONE FILES...`: the applies in a zone as the zone itself tells them, the same on every machine. */
export function register(): Command {
  const command = new Command('history')
    .description('Say who applied what in a zone, when and why, as the zone itself remembers it')
    .argument('<zone>', 'the DNS zone')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them');
  addZoneOptions(command).addHelpText(
    'after',
    `
A zone remembers its last 50 applies, whoever made them from whichever machine.
Exit code 0: every zone was read, 1: one was not, 2: bad input.`,
  );
  return command.action(async (zone: string, paths: string[], options: ProviderOptions) => {
    const { historiesToJson, readHistories, renderHistories } = await import('../../planes/steering/plan/history.ts');
    const { plans: histories } = await planBy(paths, options, async (platform, { connect }) =>
      readHistories(await zonesCalled(platform, zone, options.provider), connect),
    );
    await printResult(options.output, {
      lines: () => renderHistories(histories),
      value: () => historiesToJson(histories),
    });
    if (histories.some((one) => 'problem' in one)) process.exitCode = 1;
  });
}
