import type { Command } from 'commander';
import { addProcedureOptions, type ProcedureArguments, procedureHelp, runProcedure } from './procedure.ts';

/** `tideline fleet add SERVERS FOLDER --against DIR`: sets up servers that the spec has and that have nothing yet. */
export function register(fleet: Command): void {
  const command = fleet
    .command('add')
    .description('Set up servers that are new in the platform spec: workers, blades, control planes, members of etcd')
    .argument('<servers>', 'names of servers, with commas between them')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them');
  addProcedureOptions(command).addHelpText('after', procedureHelp).action(run);
}

async function run(names: string, paths: string[], options: ProcedureArguments): Promise<void> {
  const { addRun } = await import('../../planes/fleet/run/procedures/servers.ts');
  const servers = names.split(',');
  await runProcedure(paths, options, { servers: () => servers, plan: (situation) => addRun(situation, servers) });
}
