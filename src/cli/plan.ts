import type { Command } from 'commander';
import { printJson, printLines } from '../runtime/print.ts';
import { addProviderOptions, connectReader, type ProviderOptions } from './steering/connect.ts';

/** `tideline plan FILES...`: prints what would change in DNS, and for whom. It never writes. */
export function register(program: Command): void {
  addProviderOptions(
    program
      .command('plan')
      .description('Show what the traffic policies would change in DNS, for whom, and the checksum of it')
      .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them'),
  ).action(async (paths: string[], options: ProviderOptions) => {
    const { loadPlatformOrThrow } = await import('../platform/load.ts');
    const { planZones } = await import('../planes/steering/plan/plan.ts');
    const platform = await loadPlatformOrThrow(paths);
    const plans = await planZones(platform, options.provider, (name) => connectReader(name, options), Date.now());
    if (options.output === 'json') {
      const { plansToJson } = await import('../planes/steering/plan/json.ts');
      printJson(plansToJson(plans));
    } else {
      const { renderPlans } = await import('../planes/steering/plan/text.ts');
      printLines(renderPlans(plans));
    }
  });
}
