import { spawn } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { labCommand } from '../../lab/state.ts';
import { InputError } from '../model/problem.ts';
import { didYouMean } from '../model/spec/similar.ts';
import { printLines } from '../runtime/print.ts';
import { parseCount } from './options.ts';

interface LogsOptions {
  readonly state: string;
  readonly lines: number;
  readonly follow?: true;
}

const suffix = '.log';

/** `tideline lab logs`: which programs have a log, or the end of those of one machine or program. Logs are kept when a lab has ended. */
export function logsCommand(command: Command): void {
  command
    .description('show which programs of the lab have a log, or what some of them wrote last')
    .argument('[name]', 'a machine or a program of one, as `tideline lab status` names it')
    .option('-n, --lines <COUNT>', 'how many lines of each', parseCount, 20)
    .option('-f, --follow', 'go on until Ctrl-C')
    .action(logs);
}

async function logs(name: string | undefined, options: LogsOptions): Promise<void> {
  const folder = join(resolve(options.state), 'logs');
  const programs = await programsIn(folder, options.state);
  if (name === undefined) return printLines(programs);
  const wanted = name.replaceAll('/', '-');
  const chosen = programs.filter((program) => program === wanted || program.startsWith(`${wanted}-`));
  if (chosen.length === 0) throw unknownName(name, programs, options.state);
  await tail(chosen, folder, options);
}

async function programsIn(folder: string, state: string): Promise<readonly string[]> {
  const files = await readdir(folder).catch(() => []);
  const programs = files.filter((file) => file.endsWith(suffix)).map((file) => file.slice(0, -suffix.length));
  if (programs.length > 0) return programs.toSorted();
  throw new InputError({
    reason: 'NoLab',
    message: `no lab has run in this state folder: ${folder} has no logs`,
    fix: `start one with: ${labCommand(['up'], state)}`,
  });
}

function unknownName(name: string, programs: readonly string[], state: string): InputError {
  return new InputError({
    reason: 'MachineUnknown',
    message: `no machine or program of the lab has the name ${name}`,
    fix: didYouMean(
      name.replaceAll('/', '-'),
      programs.flatMap(beginnings),
      `${labCommand(['logs'], state)} prints all names`,
    ),
  });
}

/** `a-b-c` has the beginnings `a-b-c`, `a-b` and `a`: one of them is its machine. */
function beginnings(program: string): readonly string[] {
  const cut = program.lastIndexOf('-');
  return cut < 0 ? [program] : [program, ...beginnings(program.slice(0, cut))];
}

async function emptyLogs(programs: readonly string[], folder: string): Promise<readonly string[]> {
  const sizes = await Promise.all(
    programs.map(async (program) => (await stat(join(folder, `${program}${suffix}`))).size),
  );
  return programs.filter((_program, at) => sizes[at] === 0);
}

/** Prints the end of each program's log, or that it is empty, and with `follow` what is written from then on; of several, with the name before each line. */
async function tail(programs: readonly string[], folder: string, { lines, follow }: LogsOptions): Promise<void> {
  const options = ['-n', String(lines), ...(follow === true ? ['-F'] : [])];
  const empty = await emptyLogs(programs, folder);
  if (lines > 0) printLines(empty.map((program) => `${program} has written nothing${follow === true ? ' yet' : ''}`));
  const children = programs.map((program) => {
    const path = join(folder, `${program}${suffix}`);
    return { program, child: spawn('tail', [...options, path], { stdio: ['ignore', 'pipe', 'inherit'] }) };
  });
  process.stdout.once('error', () => {
    for (const { child } of children) child.kill();
  });
  await Promise.all(
    children.map(async ({ program, child }) => {
      for await (const line of createInterface({ input: child.stdout }))
        printLines([programs.length === 1 ? line : `${program}: ${line}`]);
    }),
  );
}
