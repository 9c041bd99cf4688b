import type { Command } from 'commander';
import { Option } from 'commander';
import { InputError } from '../../model/problem.ts';
import type { UpgradeOf } from '../../planes/fleet/run/procedures/upgrade.ts';
import { addProcedureOptions, type ProcedureArguments, procedureHelp, runProcedure } from './procedure.ts';

interface UpgradeArguments extends ProcedureArguments {
  readonly pool?: string;
  readonly site?: string;
}

/** `tideline fleet upgrade CLUSTER FOLDER --against DIR`: brings the versions of a Fleet to its servers. */
export function register(fleet: Command): void {
  const command = fleet
    .command('upgrade')
    .description('Bring the versions of a Fleet to the servers of its cluster, after a snapshot that was restored once')
    .argument('<cluster>', 'name of the Cluster')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them')
    .addOption(new Option('--pool <name>', "only the agents of this EdgePool's blades").conflicts('site'))
    .option('--site <name>', 'only the agents of the workers and blades of this Site');
  addProcedureOptions(command)
    .addHelpText(
      'after',
      `
The order: snapshot, etcd one by one and its leader last, API servers one by one, controllers, canary, workers rack by rack, blades. With --pool and
--site it refuses when more than the version of tideline would change there.
${procedureHelp}`,
    )
    .action(run);
}

async function run(cluster: string, paths: string[], options: UpgradeArguments): Promise<void> {
  const { upgradeRun } = await import('../../planes/fleet/run/procedures/upgrade.ts');
  const { having } = await import('../../planes/fleet/run/procedures/situation.ts');
  const { loadPlatformOrThrow } = await import('../../platform/load.ts');
  const { edgePools, fleets, sites } = await loadPlatformOrThrow(paths);
  if (![...fleets.values()].some(({ spec }) => spec.cluster === cluster)) throw noFleet('cluster', cluster);
  if (options.pool !== undefined && !edgePools.has(options.pool)) throw noFleet('EdgePool', options.pool);
  if (options.site !== undefined && !sites.has(options.site)) throw noFleet('Site', options.site);
  await runProcedure(paths, options, {
    servers: (before) => (['etcd', 'worker', 'blade'] as const).flatMap((role) => having(before, cluster, role)),
    plan: (situation) => {
      const some = (name: string, servers: readonly string[]): UpgradeOf => ({
        cluster,
        agentsOf: { name, servers: new Set(servers) },
      });
      const { documents } = situation.after;
      if (options.pool !== undefined) {
        const blades = edgePools.get(options.pool)?.spec.blades.map(({ name }) => name) ?? [];
        return upgradeRun(situation, some(options.pool, blades));
      }
      if (options.site === undefined) return upgradeRun(situation, { cluster });
      const there = [...documents.values()].filter(
        ({ server }) =>
          server.site === options.site && server.roles.some((role) => role === 'worker' || role === 'blade'),
      );
      const names = there.map(({ server }) => server.id);
      return upgradeRun(situation, some(options.site, names));
    },
  });
}

const noFleet = (what: string, name: string) =>
  new InputError({
    reason: 'ServerUnknown',
    message: `no ${what === 'cluster' ? 'Fleet makes the Cluster' : what} ${name}`,
    fix: 'correct the name',
  });
