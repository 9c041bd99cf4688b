import { Command } from 'commander';
import type { Down } from '../../observe/why/suppose.ts';
import { addDownOption } from '../down.ts';
import { addOutputOption, type OutputArguments, printResult } from '../output.ts';

interface ExplainArguments extends OutputArguments {
  readonly if: readonly Down[];
}

/** `tideline steering explain HOST COUNTRY FILES...`: prints why the users of a country get the answer they get. */
export function register(): Command {
  const command = new Command('explain')
    .description('Say which cluster answers a country, why, and who would answer when clusters fail')
    .argument('<host>', 'a host of a traffic policy')
    .argument('<country>', 'ISO 3166-1 alpha-2 code, or "unknown"')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them');
  addDownOption(command, ['Site', 'Cluster']);
  return addOutputOption(command).action(
    async (host: string, country: string, paths: string[], { output, if: downs }: ExplainArguments) => {
      const { loadPlatformOrThrow } = await import('../../platform/load.ts');
      const { explain, renderExplanation } = await import('../../planes/steering/plan/explain.ts');
      const platform = await loadPlatformOrThrow(paths);
      const { clustersDown } = await import('./clusters-down.ts');
      const down = clustersDown(platform, downs);
      const explanation = explain(platform, host, country, Date.now(), down);
      await printResult(output, { lines: () => renderExplanation(explanation), value: () => explanation });
    },
  );
}
