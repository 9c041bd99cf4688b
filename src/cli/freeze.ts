import type { Command } from 'commander';
import { freezeInForce, freezeLine } from '../model/platform/freezes.ts';
import { problemList } from '../model/problem.ts';
import { shellWords } from '../model/shell-words.ts';
import type { Freeze } from '../model/spec/kinds.ts';
import type { SpecProblem } from '../model/spec/objects.ts';
import type { Platform } from '../model/spec/platform.ts';
import { withoutUndefined } from '../model/values.ts';
import type { FileEdit } from '../platform/spec-edit.ts';
import { systemClock } from '../runtime/clock.ts';
import { printErrorLines } from '../runtime/print.ts';
import type { Register } from './command.ts';
import { addTlsOptions, parseDuration } from './options.ts';
import { addOutputOption, type OutputArguments, printResult } from './output.ts';
import { personHere } from './person.ts';
import { record } from './record.ts';
import { accessOf, type TlsArguments } from './tls.ts';

interface FreezeArguments extends OutputArguments {
  readonly reason: string;
  /** Milliseconds. */
  readonly for?: number;
  readonly by?: string;
  readonly force?: true;
}

/** `tideline freeze FILES...` and `tideline thaw FILES...`: the red button, which is pushed at once and without a plan. */
export const register: Register = (program) => {
  const freeze = program
    .command('freeze')
    .description('Stop everything that changes something by itself, until `thaw`')
    .argument('<path...>', 'the folder of the platform spec that agents read; more files and folders if it has more')
    .requiredOption('--reason <text>', 'for people: why')
    .option('--for <time>', 'end it by itself after this time: 30m, 2h, 1d (default: never)', parseDuration)
    .option('--by <name>', 'for people: who (default: the user of this machine)')
    .option('--force', 'take the place of the Freeze of another person also where that one lasts longer');
  finish(freeze).action(runFreeze);
  const thaw = program
    .command('thaw')
    .description('End the freeze of the platform')
    .argument('<path...>', 'the folder of the platform spec that agents read; more files and folders if it has more');
  addTlsOptions(finish(thaw)).action(runThaw);
};

function finish(command: Command): Command {
  return addOutputOption(command).addHelpText(
    'after',
    `
A Freeze is a file of the platform spec (freeze-platform.yaml in the first folder that is named), written at once. Distribute the folder
as you always do: an agent obeys within 2 s of the file being there, and also while a cluster is down. What stops, and what goes on:
docs/operations/freeze.md. thaw asks the agents first what takes effect by it, and waits some seconds for those that do not answer.
Both write also where the spec has errors elsewhere, and print these; where there are errors and no Freeze can be found, thaw ends with them.
Exit code 0: written, or thaw found nothing frozen, 2: bad input, also where freeze would shorten that of another person.`,
  );
}

async function runFreeze(paths: string[], { reason, by, for: forMs, force, output }: FreezeArguments): Promise<void> {
  const { freezing } = await import('../platform/freeze-files.ts');
  const nowMs = systemClock.now();
  const until = forMs === undefined ? undefined : `${new Date(nowMs + forMs).toISOString().slice(0, 19)}Z`;
  const freeze = { reason, by: by ?? personHere(), ...withoutUndefined({ until, force }) };
  const edit = await freezing(paths, freeze, nowMs);
  const { edits, freezes, problems } = edit;
  await write({ edits, freezes, warnings: problems }, output, [lineOf(edit, nowMs), ...placeLines(edit.replaced)]);
  warnOf(problems, 'and reads the Freeze');
  await record('FreezeAsked', { subject: 'platform', why: reason, by: by ?? personHere() });
}

async function runThaw(paths: string[], options: OutputArguments & TlsArguments): Promise<void> {
  // What cannot be used is said before anything is written.
  await accessOf(options);
  const { thawing } = await import('../platform/freeze-files.ts');
  const nowMs = systemClock.now();
  const edit = await thawing(paths, nowMs);
  if (edit.edits.length === 0)
    return write({ edits: [], freezes: edit.freezes }, options.output, [
      `no Freeze is in force in ${shellWords(paths)}: nothing was written`,
    ]);
  const frozen = freezeInForce(edit.before, nowMs);
  const line = `thawed; it was ${frozen === undefined ? 'frozen by what cannot be read' : freezeLine(frozen)}`;
  const { edits, freezes, problems } = edit;
  const said = [line, ...(await doneBy(edit.before, options))];
  await write({ edits, freezes, warnings: problems }, options.output, said);
  warnOf(problems, 'frozen as it is, and hears of the thaw');
  await record('ThawAsked', { subject: 'platform', why: line });
}

/** A Freeze is written and removed whatever else stands in the folder; whether agents can read that is another matter. */
function warnOf(
  problems: readonly SpecProblem[],
  then: 'and reads the Freeze' | 'frozen as it is, and hears of the thaw',
): void {
  const [first] = problems;
  if (first === undefined) return;
  const { file = 'the spec', line } = first;
  printErrorLines([
    'warning: the spec has errors elsewhere:',
    ...problemList(problems),
    `warning: an agent that cannot read the spec as it is keeps its last good one, ${then} when ${file}${line === undefined ? '' : `:${line}`}${problems.length > 1 ? ' and the rest are' : ' is'} mended; until then the steering agent applies nothing by itself all the same (InputInvalid)`,
  ]);
}

function lineOf(platform: Pick<Platform, 'freezes'>, nowMs: number): string {
  const freeze = freezeInForce(platform, nowMs);
  return freeze === undefined ? 'not frozen' : freezeLine(freeze);
}

function placeLines(replaced: Freeze | undefined): readonly string[] {
  if (replaced === undefined) return [];
  const { reason, by, since, until } = replaced.spec;
  return [`takes the place of: ${reason} by ${by} since ${since}${until === undefined ? '' : `, until ${until}`}`];
}

/** What the agents say that a thaw of this platform does. They are asked while it is frozen: afterwards it may be done. */
async function doneBy(platform: Platform, options: TlsArguments): Promise<readonly string[]> {
  const { lookAt } = await import('./look.ts');
  const { doneByThaw } = await import('../observe/doubts.ts');
  return doneByThaw(await lookAt(platform, options));
}

interface Written {
  readonly edits: readonly FileEdit[];
  readonly freezes: Platform['freezes'];
  readonly warnings?: readonly SpecProblem[];
}

async function write(
  { edits, freezes, warnings = [] }: Written,
  output: OutputArguments['output'],
  said: readonly string[],
): Promise<void> {
  const { writeEdits } = await import('../platform/spec-edit.ts');
  await writeEdits(edits);
  const files = edits.map(({ file, text }) => ({ file, action: text === undefined ? 'removed' : 'written' }));
  await printResult(output, {
    lines: () => [...said, ...files.map(({ file, action }) => `${action}: ${file}`)],
    value: () => ({ frozen: [...freezes.values()].map(({ spec }) => spec), said, files, warnings }),
  });
}
