import { Command } from 'commander';
import { type Trusted, trustOption } from '../agent/spec-sources.ts';
import { addOutputOption, type OutputArguments, printResult } from '../output.ts';

interface ProposalsArguments extends OutputArguments {
  readonly platformTrust?: readonly Trusted[];
}

/** `tideline steering proposals FILES...`: what optimisers, migrations and people propose, and what became of it. */
export function register(): Command {
  const command = new Command('proposals')
    .description('List the TrafficOverlays: what is proposed, by whom, until when, and whether it is in force')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them')
    .addOption(trustOption('read the platform spec in the API of this cluster as well, and believe it'));
  return addOutputOption(command).action(async (paths: string[], options: ProposalsArguments) => {
    const { steeredPlatform } = await import('./spec.ts');
    const { digested } = await import('./proposals/versions.ts');
    const { renderProposals } = await import('./proposals/text.ts');
    const { overlaid = [] } = await steeredPlatform(paths, options.platformTrust ?? []);
    const proposals = overlaid.map(digested);
    await printResult(options.output, {
      lines: () => renderProposals(proposals),
      value: () => ({ proposals }),
    });
  });
}
