import { Command } from 'commander';
import { addStepOptions, type StepOptions, takeStep, zonesCalled } from './step.ts';

/** `tideline steering remove ZONE FILES...`: deletes what is ours in the zone for hosts that no policy names any more. */
export function register(): Command {
  const command = new Command('remove')
    .description('Delete what is left in a zone of hosts that no policy names any more, and leave everything else')
    .argument('<zone>', 'the DNS zone, which need not be in any policy any more')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them');
  return addStepOptions(command).action(async (zone: string, paths: string[], options: StepOptions) => {
    await takeStep(paths, options, async (platform) => ({
      zones: await zonesCalled(platform, zone, options.provider),
      purpose: { kind: 'remove' },
    }));
  });
}
