import type { Command } from 'commander';
import type { Documents } from '../../planes/fleet/run/procedures/situation.ts';
import { compiledWith } from './compiled.ts';
import { addProcedureOptions, type ProcedureArguments, procedureHelp, runProcedure } from './procedure.ts';

/** `tideline fleet remove SERVERS FOLDER --against DIR`: empties and stops servers that the spec does not have any more. */
export function register(fleet: Command): void {
  const command = fleet
    .command('remove')
    .description('Take servers out of their cluster that are `state: retired` in the platform spec; they may be dead')
    .argument('<servers>', 'names of servers, with commas between them')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them');
  addProcedureOptions(command).addHelpText('after', procedureHelp).action(run);
}

async function run(names: string, paths: string[], options: ProcedureArguments): Promise<void> {
  const { removeRun } = await import('../../planes/fleet/run/procedures/servers.ts');
  const servers = names.split(',');
  await runProcedure(paths, options, {
    servers: () => servers,
    plan: (situation) => removeRun(situation, servers),
    former: () => formerDocuments(servers, paths),
  });
}

/** What retired servers were, also when a compile has removed their documents: as if the spec still had them. */
async function formerDocuments(servers: readonly string[], paths: readonly string[]): Promise<Documents> {
  const { documents } = await compiledWith(paths, (platform) => ({
    ...platform,
    servers: new Map(
      [...platform.servers].map(([name, server]) =>
        servers.includes(name) ? [name, { ...server, spec: { ...server.spec, state: 'active' } }] : [name, server],
      ),
    ),
  }));
  return new Map([...documents].filter(([name]) => servers.includes(name)));
}
