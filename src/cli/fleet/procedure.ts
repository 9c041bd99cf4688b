import type { Command } from 'commander';
import { InputError } from '../../model/problem.ts';
import type { CompiledFleet } from '../../planes/fleet/compile/compile.ts';
import type { Documents, Planned, Situation } from '../../planes/fleet/run/procedures/situation.ts';
import type { Run, RunWave, Step } from '../../planes/fleet/run/steps.ts';
import { addOutputOption, type OutputArguments, printResult } from '../output.ts';
import { type ApplyArguments, addApplyOptions, applyAgreed, parseChecksum } from './apply.ts';
import { compileInto } from './compiled.ts';
import { few } from './few.ts';
import { reachOf } from './reaching.ts';
import { apisIn } from './world.ts';

/** What `fleet add`, `remove`, `replace`, `upgrade` and `recover` share: without a checksum they print a plan, with it they do that plan. */

export interface ProcedureArguments extends ApplyArguments, OutputArguments {
  readonly plan?: string;
}

export function addProcedureOptions(command: Command): Command {
  command
    .requiredOption('--against <folder>', 'the folder that `tideline fleet compile --out` wrote')
    .option('--plan <checksum>', 'do it: the checksum that this command printed without this option', parseChecksum);
  return addOutputOption(addApplyOptions(command));
}

export const procedureHelp = `
Without --plan it asks the servers and prints what would be done, with a checksum; nothing is changed. With --plan it does exactly that, or
refuses. The same command goes on with a run that was interrupted. Exit code 0: done, or shown, 1: a step failed, or it was stopped, 2: bad
input, or refused.
docs/operations/fleet.md`;

export interface Procedure {
  /** Whom it is about, for the questions that are asked before. */
  readonly servers: (before: Documents, after: CompiledFleet) => readonly string[];
  readonly plan: (situation: Situation) => Planned;
  /** Documents that a server had which the folder does not have any more. */
  readonly former?: () => Promise<Documents>;
}

/** Prints the plan of a procedure, or does what a person agreed to. */
export async function runProcedure(
  paths: readonly string[],
  options: ProcedureArguments,
  procedure: Procedure,
): Promise<void> {
  if (options.plan !== undefined) {
    await applyAgreed(
      options.plan,
      paths,
      options,
      () => prepareProcedure(paths, options, procedure),
      await procedure.former?.(),
    );
    return;
  }
  const { run: planned } = await prepareProcedure(paths, options, procedure);
  await printResult(options.output, { lines: () => runLines(planned), value: () => planned });
}

async function prepareProcedure(paths: readonly string[], options: ProcedureArguments, procedure: Procedure) {
  const { checksumOf, readDocuments } = await import('../../planes/fleet/folder.ts');
  const { known, readApplied } = await import('../../planes/fleet/run/applied.ts');
  const { factsOf } = await import('../../planes/fleet/run/facts.ts');
  const { readRuns } = await import('../../planes/fleet/run/journal.ts');
  const { sealed } = await import('../../planes/fleet/run/seal.ts');
  const { loadPlatformOrThrow } = await import('../../platform/load.ts');
  const former = (await procedure.former?.()) ?? new Map();
  const has = known(await readApplied(options.against), await readDocuments(options.against));
  const before = new Map([...former, ...has]);
  const after = await compileInto(options.against, paths);
  const { edgePools } = await loadPlatformOrThrow(paths);
  const facts = await factsOf({
    reach: await reachOf(options, paths, options.against),
    signal: new AbortController().signal,
    before,
    after: after.documents,
    servers: procedure.servers(before, after),
  });
  const planned = procedure.plan({ before, after, pools: [...edgePools.values()], apis: await apisIn(paths), facts });
  if (!planned.ok) throw new InputError([...planned.refusals]);
  const runs = await readRuns(options.against);
  const finished = runs.find(({ state }) => state === 'finished');
  return { run: sealed(planned.run, checksumOf(after), finished?.id), runs };
}

/** A plan as a person reads it before agreeing: wave by wave, every step. */
function runLines({ command, waves, warnings, checksum }: Run): readonly string[] {
  const lines = waves.flatMap((wave, index) => [
    waveLine(wave, index),
    ...wave.steps.map((step) => `    ${stepLine(step)}`),
  ]);
  return [
    waves.length === 0 ? `${command}: nothing to do` : `${command}: ${waves.length} waves`,
    ...lines,
    ...warnings.map((warning) => `warning: ${warning}`),
    `checksum: ${checksum}`,
  ];
}

const waveLine = ({ cluster, kind, servers }: RunWave, index: number) =>
  `  ${index + 1} ${cluster} ${kind}: ${few(servers)}`.trimEnd();

function stepLine(step: Step): string {
  switch (step.do) {
    case 'gate':
      return `wait until ${step.gate} holds, at most ${step.timeoutSeconds} s`;
    case 'call': {
      const given = Object.entries(step.arguments).map(([name, value]) => `${name}=${String(value)}`);
      return [`${step.function} on ${few(step.servers)}`, ...given].join(' ');
    }
    case 'objects':
      return 'write the objects of the cluster itself';
    case 'apply':
      return `apply ${step.components?.join(', ') ?? 'the document'} on ${few(step.servers)}`;
    default:
      return `${step.do} ${few(step.servers)}`;
  }
}
