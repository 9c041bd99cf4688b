import { type Command, Option } from 'commander';
import type { DrainTarget } from '../platform/drain-files.ts';
import type { Register } from './command.ts';
import type { ChangeArguments, DrainArguments } from './drain/run.ts';
import { addNameServerOption } from './name-servers.ts';
import { addTlsOptions, parseDuration } from './options.ts';
import { addOutputOption } from './output.ts';
import { addSteeringAgentsOption } from './steering-agents.ts';
import { notOneOf } from './words.ts';

type Kind = DrainTarget['kind'];

const kinds = { site: 'Site', cluster: 'Cluster', blade: 'Blade', worker: 'Worker' } as const;

/** `tideline drain KIND NAME FILES...` and `tideline undrain`: the plan first; with `--yes` it is written. */
export const register: Register = (program) => {
  const drain = addTarget(program.command('drain'))
    .description('Take a site, cluster, blade or worker out of service for a while')
    .requiredOption('--for <time>', 'how long: 30m, 2h, 1d', parseDuration)
    .requiredOption('--reason <text>', 'for people: why');
  addChangeOptions(drain)
    .option('--to-api', 'write it into the API of the cluster concerned, instead of the folder')
    .option('--wait', 'with --yes: then wait until nothing is left, so that it may be switched off');
  addSteeringAgentsOption(
    addNameServerOption(drain),
    'with --wait: it says how many users DNS still leads to what is drained',
  )
    .addHelpText(
      'after',
      `
Shows what moves, and writes nothing without --yes. With it a Drain is written into the first folder that is named, in a file of its
own. Agents obey within 2 s of its being there: distribute the folder as you always do. With --to-api it is written into the API of the
cluster that has the blade or worker, or is drained, by the kubeconfig that the spec names: its agents read it there. It ends by itself
after --for.
With --wait a cluster or site that policies name counts as empty when DNS leads nobody there any more, as a steering agent or the status of
the Drain in an API says it. Where neither does, the command ends with exit code 1 once nothing else is left, and says "DNS: unknown".
A drain that would leave a VIP or a country without anyone is refused (exit code 1).`,
    )
    .action(async (kind: Kind, name: string, paths: string[], options: DrainArguments) =>
      (await import('./drain/run.ts')).runDrain({ kind, name }, paths, options),
    );
  const undrain = addTarget(program.command('undrain')).description('Bring what was drained back into service');
  addChangeOptions(undrain)
    .addHelpText(
      'after',
      '\nShows what moves, and writes nothing without --yes. With it every Drain of the target is removed, from the folder and from the APIs.\nExit code 0 also where the target is not drained.',
    )
    .action(async (kind: Kind, name: string, paths: string[], options: ChangeArguments) =>
      (await import('./drain/run.ts')).runUndrain({ kind, name }, paths, options),
    );
};

function addTarget(command: Command): Command {
  return command
    .argument('<kind>', 'site, cluster, blade or worker', parseKind)
    .argument('<name>', 'its name')
    .argument('<path...>', 'the folder of the platform spec that agents read; more files and folders if it has more');
}

function addChangeOptions(command: Command): Command {
  return addTlsOptions(addOutputOption(command))
    .option('-y, --yes', 'write it')
    .addOption(
      new Option('--force', 'do it also where the plan is refused, and do not wait for the Ready pods of a worker'),
    );
}

function parseKind(text: string): Kind {
  for (const [word, kind] of Object.entries(kinds)) if (text.toLowerCase() === word) return kind;
  throw notOneOf(text, Object.keys(kinds), 'Expected site, cluster, blade or worker.');
}
