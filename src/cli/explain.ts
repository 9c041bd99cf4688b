import { type Command, Option } from 'commander';
import { printJson, printLines } from '../runtime/print.ts';

/** `tideline explain HOST COUNTRY FILES...`: prints why the users of a country get the answer they get. */
export function register(program: Command): void {
  program
    .command('explain')
    .description('Say which cluster answers a country, why, and who would answer when clusters fail')
    .argument('<host>', 'a host of a traffic policy')
    .argument('<country>', 'ISO 3166-1 alpha-2 code, or "unknown"')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them')
    .addOption(new Option('--output <format>', 'how to print').choices(['text', 'json']).default('text'))
    .action(async (host: string, country: string, paths: string[], options: { output: 'text' | 'json' }) => {
      const { loadPlatformOrThrow } = await import('../platform/load.ts');
      const { explain, renderExplanation } = await import('../planes/steering/plan/explain.ts');
      const platform = await loadPlatformOrThrow(paths);
      const explanation = explain(platform, host, country, Date.now());
      if (options.output === 'json') printJson(explanation);
      else printLines(renderExplanation(explanation));
    });
}
