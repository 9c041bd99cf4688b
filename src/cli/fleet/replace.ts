import type { Command } from 'commander';
import { addProcedureOptions, type ProcedureArguments, procedureHelp, runProcedure } from './procedure.ts';

/** `tideline fleet replace SERVERS FOLDER --against DIR`: sets up servers anew that lost their disk. */
export function register(fleet: Command): void {
  const command = fleet
    .command('replace')
    .description('Set up servers again that have an empty disk; a member of etcd joins as a new one')
    .argument('<servers>', 'names of servers, with commas between them')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them');
  addProcedureOptions(command).addHelpText('after', procedureHelp).action(run);
}

async function run(names: string, paths: string[], options: ProcedureArguments): Promise<void> {
  const { replaceRun } = await import('../../planes/fleet/run/procedures/servers.ts');
  const servers = names.split(',');
  await runProcedure(paths, options, { servers: () => servers, plan: (situation) => replaceRun(situation, servers) });
}
