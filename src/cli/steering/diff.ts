import { Command } from 'commander';
import type { Difference } from '../../planes/steering/plan/diff.ts';
import { printResult } from '../output.ts';
import { addZoneOptions, type ProviderOptions, planBy } from './connect.ts';
import { parseApply, zonesOfApply } from './step.ts';

/** `tideline steering diff APPLY APPLY ZONE FILES...`: what two applies were made from, where it differs. */
export function register(): Command {
  const command = new Command('diff')
    .description('Compare what two applies in a zone were made from, and whom they lead elsewhere')
    .argument('<from>', 'the generation or the plan of an apply, as `steering history` prints them', parseApply)
    .argument('<to>', 'that of the other', parseApply)
    .argument('<zone>', 'the DNS zone')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them');
  return addZoneOptions(command).action(
    async (from: string, to: string, zone: string, paths: string[], options: ProviderOptions) => {
      const { differenceOf, renderDifferences } = await import('../../planes/steering/plan/diff.ts');
      const { plans: differences } = await planBy(paths, options, async (platform, { connect }) => {
        const found: Difference[] = [];
        await zonesOfApply(platform, { apply: to, zone }, options.provider);
        for (const { provider } of await zonesOfApply(platform, { apply: from, zone }, options.provider))
          found.push(await differenceOf(await connect(provider), zone, [from, to]));
        return found;
      });
      await printResult(options.output, {
        lines: () => renderDifferences(differences),
        value: () => ({ zones: differences }),
      });
    },
  );
}
