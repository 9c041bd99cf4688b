import type { Command } from 'commander';
import type { KnownRun } from '../../planes/fleet/run/journal.ts';
import type { ServerStatus } from '../../planes/fleet/status.ts';
import { addOutputOption, type OutputArguments, printResult } from '../output.ts';
import { few } from './few.ts';
import { prepare } from './prepared.ts';
import { addReachOptions, type ReachArguments, reachOf } from './reaching.ts';

interface StatusArguments extends OutputArguments, ReachArguments {
  readonly against: string;
}

/** `tideline fleet status FOLDER… --against DIR`: desired against real. It changes nothing. */
export function register(fleet: Command): void {
  const command = fleet
    .command('status')
    .description(
      'Show which servers are not as the spec says: versions, units, certificates, reboots, and the run under way',
    )
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them')
    .requiredOption('--against <folder>', 'the folder that `tideline fleet compile --out` wrote');
  addOutputOption(addReachOptions(command))
    .addHelpText(
      'after',
      `
Servers alike share a line. Exit code 0: every server is as the spec says, 1: one is not. What drifted in files is
found by \`tideline fleet plan --all --test\`, which takes longer.`,
    )
    .action(run);
}

async function run(paths: string[], { against, output, ...reaching }: StatusArguments): Promise<void> {
  const { statusOf } = await import('../../planes/fleet/status.ts');
  const { compiled, plan, pending, runs, owner } = await prepare(paths, against, false);
  const servers = [...compiled.documents.keys()];
  const reach = await reachOf(reaching, paths, against);
  const answers = await reach.call(servers, 'tideline_units.status', {}, new AbortController().signal);
  const changed = plan.changes.filter(({ change }) => change !== 'gone').map(({ server }) => server);
  const status = statusOf({
    documents: compiled.documents,
    pending: new Set([...pending, ...changed]),
    answers,
    nowMs: Date.now(),
  });
  const [newest] = runs;
  if (status.some(({ problems }) => problems.length > 0)) process.exitCode = 1;
  await printResult(output, {
    lines: () => [
      ...summary(status),
      ...(newest === undefined ? [] : [runLine(newest)]),
      ...(owner === undefined ? [] : [`${owner.by} on ${owner.host} runs something in this folder`]),
      ...problemLines(status),
    ],
    value: () => ({ servers: status, ...(newest === undefined ? {} : { run: placeOf(newest) }), owner }),
  });
}

function summary(status: readonly ServerStatus[]): readonly string[] {
  const bad = status.filter(({ problems }) => problems.length > 0).length;
  const days = status.flatMap(({ certificateDays }) => certificateDays ?? []);
  return [
    `${status.length - bad} of ${status.length} servers are as the spec says`,
    ...(days.length === 0 ? [] : [`the first certificate ends in ${Math.min(...days)} days`]),
  ];
}

/** So many lines fit on a terminal beside the summary. */
const mostLines = 18;

/** The most common first. */
function problemLines(status: readonly ServerStatus[]): readonly string[] {
  const alike = new Map<string, string[]>();
  for (const { server, problems } of status)
    for (const problem of problems) alike.set(problem, [...(alike.get(problem) ?? []), server]);
  const lines = [...alike]
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(([problem, servers]) => `  ${problem}: ${few(servers)}`);
  const more = lines.length - mostLines;
  return more > 0 ? [...lines.slice(0, mostLines), `  and ${more} other things; -o json has all`] : lines;
}

/** Where a run is: the wave of the step that comes next, and who is in it. */
function placeOf({ id, run: agreed, state, done, by }: KnownRun) {
  let left = done;
  const at = agreed.waves.findIndex(({ steps }) => {
    left -= steps.length;
    return left < 0;
  });
  const wave = at === -1 ? undefined : { number: at + 1, servers: agreed.waves[at]?.servers ?? [] };
  return { id, command: agreed.command, by, state, waves: agreed.waves.length, wave };
}

function runLine(known: KnownRun): string {
  const { id, command, by, state, waves, wave } = placeOf(known);
  const where = wave === undefined ? '' : `, in wave ${wave.number} of ${waves}: ${few(wave.servers)}`;
  return `last run ${id} (${command} by ${by}): ${state}${state === 'finished' ? '' : where}`;
}
