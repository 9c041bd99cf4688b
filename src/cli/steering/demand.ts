import { Command } from 'commander';
import { messageOf } from '../../model/values.ts';
import type { MeasuredDemand } from '../../observe/demand.ts';
import { lookAt } from '../look.ts';
import { addTlsOptions } from '../options.ts';
import { addOutputOption, type OutputArguments, printResult } from '../output.ts';
import type { TlsArguments } from '../tls.ts';

interface DemandOptions extends OutputArguments, TlsArguments {
  readonly out?: string;
  readonly history?: string;
}

/** `tideline steering demand FILES...`: what blades measured of the requests of each country, for `--demand` of a plan. */
export function register(): Command {
  const command = new Command('demand')
    .description('Ask the blades what they measured of the requests of each country in the last hour')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them')
    .option('--out <file>', 'write it to this file, which `plan --demand` and `apply --demand` take')
    .option('--history <folder>', 'also add it to this history, from which `scaling --history` forecasts');
  return addTlsOptions(addOutputOption(command))
    .addHelpText(
      'after',
      `
A country whose users are led to clusters without blades was not measured: a plan counts it as the average of those that were, and
\`tideline scaling\` as asking nothing, unless you add what you know of it to the file. Exit code 0: every blade told what it measured, 1: one did not, 2: bad input.`,
    )
    .action(run);
}

async function run(paths: string[], options: DemandOptions): Promise<void> {
  const { wholePlatform } = await import('../whole-platform.ts');
  const { countryDataText, demandOf } = await import('../../observe/demand.ts');
  const { demandToFile } = await import('./demand-file.ts');
  const { fromOutside } = await import('../../observe/from-outside.ts');
  const { platform } = await wholePlatform(paths);
  const snapshot = await lookAt(platform, options);
  const demand = demandOf(platform, snapshot);
  const written = demand.clusters.length === 0 ? undefined : options.out;
  if (written !== undefined) await write(written, demandToFile(demand));
  const kept = await keep(demand, options.history);
  await printResult(options.output, {
    lines: () => [
      ...linesOf(demand, countryDataText, written, options.out),
      ...kept,
      ...fromOutside(snapshot, 'tideline steering demand FOLDER'),
    ],
    value: () => demandToFile(demand),
  });
  if (demand.silent.length > 0 || demand.clusters.length === 0) process.exitCode = 1;
}

/** So many countries are shown; the file has all. */
const mostShown = 20;

function linesOf(
  demand: MeasuredDemand,
  countryDataText: (demand: MeasuredDemand) => readonly string[],
  written: string | undefined,
  out: string | undefined,
): readonly string[] {
  const { clusters, unmeasured, silent, unknownPerSecond, requestsPerSecond, seconds } = demand;
  const asking = Object.entries(requestsPerSecond)
    .filter(([, rate]) => rate > 0)
    .toSorted(([, a], [, b]) => b - a);
  const quiet = Object.keys(requestsPerSecond).length - asking.length;
  const rows = asking.slice(0, mostShown).map(([code, rate]) => `  ${code} ${rate.toFixed(2).padStart(10)} requests/s`);
  const more = asking.length - rows.length;
  return [
    clusters.length === 0
      ? 'nothing was measured: a plan counts every country the same'
      : `measured by the blades of ${clusters.join(', ')}, the shortest for ${seconds} s`,
    ...rows,
    ...(more > 0 ? [`  and ${more} more countries`] : []),
    ...(quiet > 0 ? [`  ${quiet} countries are led there and asked nothing`] : []),
    ...(unknownPerSecond > 0 ? [`  ${unknownPerSecond.toFixed(2)} requests/s came from no known country`] : []),
    ...(unmeasured.length > 0 && clusters.length > 0
      ? [`not measured: users who are led to ${unmeasured.join(', ')}; a plan counts their countries as the average`]
      : []),
    ...countryDataText(demand),
    ...silent.map(({ blade, why }) => `${blade} ${why}`),
    lastLine(written, out),
  ];
}

function lastLine(written: string | undefined, out: string | undefined): string {
  if (written !== undefined) return `written to ${written}`;
  return out === undefined
    ? 'nothing is written; --out FILE writes what a plan takes'
    : `nothing is written: ${out} stays as it is`;
}

/** Figures that lack blades would be forecast as a trough, so that nothing is better. */
async function keep(demand: MeasuredDemand, folder: string | undefined): Promise<readonly string[]> {
  if (folder === undefined) return [];
  if (demand.clusters.length === 0 || demand.silent.length > 0)
    return [`nothing is added to ${folder}: what is missing would look like a quiet hour`];
  const { appendStep } = await import('../../planes/scaling/history/store.ts');
  const { measuredAtMs, seconds, requestsPerSecond, unknownPerSecond } = demand;
  // What was measured in an hour is what was asked in the middle of it.
  const atMs = Math.round(measuredAtMs - (seconds * 1000) / 2);
  try {
    await appendStep(folder, { atMs, requestsPerSecond, unknownPerSecond });
  } catch (error) {
    const { badInput } = await import('../../planes/steering/reasons.ts');
    const message = `nothing can be added to ${folder}: ${messageOf(error)}`;
    throw badInput('FileNotWritten', message, 'name a folder that can be written');
  }
  return [`added to ${folder}`];
}

async function write(file: string, demand: object): Promise<void> {
  const { replaceFile } = await import('../../runtime/kept-file.ts');
  try {
    await replaceFile(file, `${JSON.stringify(demand, null, 2)}\n`);
  } catch (error) {
    const { badInput } = await import('../../planes/steering/reasons.ts');
    const message = `the demand cannot be written to ${file}: ${messageOf(error)}`;
    throw badInput('FileNotWritten', message, 'name a file that can be written');
  }
}
