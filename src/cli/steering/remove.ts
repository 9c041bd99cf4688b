import { Command } from 'commander';
import { addStepOptions, atProvider, type StepOptions, takeStep } from './step.ts';

/** `tideline steering remove ZONE FILES...`: deletes what is ours in the zone for hosts that no policy names any more. */
export function register(): Command {
  const command = new Command('remove')
    .description('Delete what is left in a zone of hosts that no policy names any more, and leave everything else')
    .argument('<zone>', 'the DNS zone, which need not be in any policy any more')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them');
  return addStepOptions(command).action(async (zone: string, paths: string[], options: StepOptions) => {
    await takeStep(paths, options, async (platform) => {
      const { zonesOf } = await import('../../planes/steering/compile/intent.ts');
      const { provider } = options;
      const named = provider === 'all' ? zonesOf(platform).filter((one) => one.zone === zone) : [{ provider, zone }];
      const zones = atProvider(named, provider);
      if (zones.length > 0) return { zones, purpose: { kind: 'remove' } };
      const { badInput } = await import('../../planes/steering/reasons.ts');
      throw badInput(
        'NoPolicy',
        `no traffic policy in these files names the zone ${zone}, so its provider is not known`,
        'name the provider that holds it with --provider',
      );
    });
  });
}
