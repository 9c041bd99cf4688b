import type { Command } from 'commander';
import type { FleetPlan } from '../../planes/fleet/plan.ts';
import { isOpen } from '../../planes/fleet/run/agreed.ts';
import { type Run, type Step, stepName } from '../../planes/fleet/run/steps.ts';
import { addOutputOption, type OutputArguments, printResult } from '../output.ts';
import { few } from './few.ts';
import { type Prediction, predict, predictionLines } from './predict.ts';
import { type Prepared, prepare } from './prepared.ts';
import { addReachOptions, type ReachArguments, reachOf } from './reaching.ts';

interface PlanArguments extends OutputArguments, ReachArguments {
  readonly against: string;
  readonly all?: true;
  readonly test?: true;
}

/** `tideline fleet plan FOLDER… --against DIR`: prints which servers change. It never writes. */
export function register(fleet: Command): void {
  const command = fleet
    .command('plan')
    .description('Show whose documents change, in which components, and the waves that would bring it; writes nothing')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them')
    .requiredOption('--against <folder>', 'the folder that `tideline fleet compile --out` wrote')
    .option('--all', 'every server, also those that have their documents: what drifted is mended')
    .option(
      '--test',
      'ask the servers of the waves what their present documents would change there (test=True of Salt)',
    );
  addOutputOption(addReachOptions(command))
    .addHelpText(
      'after',
      `
The checksum is of the documents, the waves and their steps: \`tideline fleet apply\` does this plan and no other. Servers whose
documents were written and that have not got them by \`fleet apply\` are part of every plan.`,
    )
    .action(run);
}

async function run(paths: string[], { against, all, test, output, ...reaching }: PlanArguments): Promise<void> {
  const prepared = await prepare(paths, against, all === true);
  const { plan, run: planned, pending } = prepared;
  const servers = planned.waves.flatMap((wave) => wave.servers);
  const predicted = test === true ? await predict(servers, await reachOf(reaching, paths, against)) : undefined;
  await printResult(output, {
    lines: () => linesOf(prepared, predicted),
    value: () => ({
      changes: plan.changes,
      pending,
      ...planned,
      ...(predicted === undefined ? {} : { predicted: Object.fromEntries(predicted) }),
    }),
  });
}

function linesOf(
  { plan, run: planned, pending, owner, runs }: Prepared,
  predicted: Prediction | undefined,
): readonly string[] {
  const [newest] = runs;
  return [
    ...changeLines(plan, pending),
    ...(pending.length === 0
      ? []
      : [`${counted(pending.length, 'server has', 'servers have')} not got what was written before: ${few(pending)}`]),
    ...waveLines(planned),
    ...planned.warnings.map((warning) => `warning: ${warning}`),
    ...(owner === undefined ? [] : [`warning: ${owner.by} on ${owner.host} runs something in this folder`]),
    ...(owner === undefined && newest !== undefined && isOpen(newest)
      ? [`warning: run ${newest.id} did not end well (${newest.state}); applying this plan takes its place`]
      : []),
    ...(predicted === undefined ? [] : predictionLines(predicted)),
    `checksum: ${planned.checksum}`,
  ];
}

/** Servers that change alike share a line. */
function changeLines({ changes }: FleetPlan, pending: readonly string[]): readonly string[] {
  if (changes.length === 0) return pending.length > 0 ? [] : ['nothing changes'];
  const alike = Map.groupBy(changes, ({ change, parts, orchestrated }) =>
    [
      change,
      parts.join(', '),
      ...(orchestrated.length > 0 ? [`(restarted in their wave: ${orchestrated.join(', ')})`] : []),
    ]
      .filter((word) => word !== '')
      .join(' '),
  );
  return [
    counted(changes.length, 'server changes:', 'servers change:'),
    ...[...alike].map(([what, some]) => `  ${what}: ${few(some.map(({ server }) => server))}`),
  ];
}

/** The waves, what is done in them, and what of it may be felt. */
function waveLines({ waves }: Run): readonly string[] {
  if (waves.length === 0) return [];
  const alike = (wave: Run['waves'][number]): string => wave.steps.map(stepName).join(', ');
  const isFelt = ({ kind, steps }: Run['waves'][number]) =>
    (kind === 'etcd' || kind === 'control-plane') && steps.some((step) => step.do === 'restart');
  const restarted = waves.filter(isFelt).length;
  return [
    counted(waves.length, 'wave:', 'waves:'),
    ...waves.map(({ cluster, kind, servers }, index) => `  ${index + 1} ${cluster} ${kind}: ${few(servers)}`),
    ...[...Map.groupBy([...waves.entries()], ([, wave]) => alike(wave))].map(
      ([steps, some]) => `in ${places(some.map(([index]) => index + 1))}: ${steps}`,
    ),
    ...(restarted === 0
      ? ['risk: no unit of etcd or of the API server is restarted by a wave']
      : [`risk: in ${restarted} of them etcd or the API server may restart, one server at a time`]),
    `time: about ${duration(waves)} where every step is well`,
  ];
}

function places(numbers: readonly number[]): string {
  const [first = 0] = numbers;
  const last = numbers.at(-1) ?? first;
  if (numbers.length === 1) return `wave ${first}`;
  const isRow = last - first === numbers.length - 1;
  return isRow ? `waves ${first} to ${last}` : `waves ${few(numbers.map(String))}`;
}

/** What a step takes when nothing waits; gates and drains depend on what the servers carry. */
const usualSeconds: Readonly<Record<Step['do'], number>> = {
  apply: 20,
  sign: 10,
  restart: 20,
  call: 5,
  drain: 60,
  return: 10,
  forget: 5,
  objects: 10,
  gate: 10,
};

function duration(waves: Run['waves']): string {
  const seconds = waves.flatMap(({ steps }) => steps).reduce((sum, step) => sum + usualSeconds[step.do], 0);
  return seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} minutes`;
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
