import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { InputError } from '../../model/problem.ts';
import type { Planned, Situation } from '../../planes/fleet/run/procedures/situation.ts';
import { addProcedureOptions, type ProcedureArguments, procedureHelp, runProcedure } from './procedure.ts';

interface RecoverArguments extends ProcedureArguments {
  readonly snapshot?: string;
  readonly sha256?: string;
  readonly quorum?: true;
  readonly servers?: string;
  readonly rack?: string;
}

/** `tideline fleet recover CLUSTER FOLDER --against DIR`: after the worst. */
export function register(fleet: Command): void {
  const command = fleet
    .command('recover')
    .description('Bring a cluster back: from a snapshot, from the member that survived, or with servers that were away')
    .argument('<cluster>', 'name of the Cluster')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them')
    .addOption(
      new Option('--snapshot <source>', 'all data is lost: a path on every member, or salt://…').conflicts([
        'quorum',
        'servers',
        'rack',
      ]),
    )
    .option('--sha256 <sum>', 'what the snapshot must have, as tideline_etcd.snapshot said', parseSum)
    .addOption(
      new Option('--quorum', 'most members are lost: go on with the one that has the newest data').conflicts([
        'servers',
        'rack',
      ]),
    )
    .addOption(
      new Option('--servers <names>', 'these servers were away for long, e.g. worker-1,worker-2').conflicts('rack'),
    )
    .option('--rack <name>', 'all servers of this rack were away');
  addProcedureOptions(command)
    .addHelpText(
      'after',
      `
--snapshot and --quorum stop the API servers first and raise the revisions of etcd by a billion, so that no watch takes new ones for old ones.
${procedureHelp}`,
    )
    .action(run);
}

async function run(cluster: string, paths: string[], options: RecoverArguments): Promise<void> {
  const { having } = await import('../../planes/fleet/run/procedures/situation.ts');
  const plan = await planFor(cluster, options);
  await runProcedure(paths, options, {
    servers: (before, { documents }) => {
      const all = new Map([...before, ...documents]);
      return (['etcd', 'control-plane', 'worker', 'blade'] as const).flatMap((role) => having(all, cluster, role));
    },
    plan,
  });
}

async function planFor(cluster: string, options: RecoverArguments): Promise<(situation: Situation) => Planned> {
  const { quorumRun, restoreRun, returnRun } = await import('../../planes/fleet/run/procedures/recover.ts');
  const { snapshot, sha256, quorum, servers, rack } = options;
  if (snapshot !== undefined) {
    if (sha256 === undefined) throw incomplete('--snapshot needs --sha256', 'add what tideline_etcd.snapshot said');
    return (situation) => restoreRun(situation, cluster, { source: snapshot, sha256 });
  }
  if (quorum === true) return (situation) => quorumRun(situation, cluster);
  if (servers !== undefined) return (situation) => returnRun(situation, servers.split(','));
  if (rack === undefined)
    throw incomplete('nothing says what is lost', 'add one of --snapshot, --quorum, --servers and --rack');
  return (situation) => {
    const there = [...situation.after.documents.values()].filter(
      ({ server }) => server.cluster === cluster && server.rack === rack,
    );
    return returnRun(
      situation,
      there.map(({ server }) => server.id),
    );
  };
}

const incomplete = (message: string, fix: string) => new InputError({ reason: 'BadOption', message, fix });

function parseSum(text: string): string {
  if (!/^[0-9a-f]{64}$/.test(text)) throw new InvalidArgumentError('Expected a SHA-256 of 64 digits in lower case.');
  return text;
}
