import { writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { ControlPlanePrograms } from '../../lab/clusters/make.ts';
import { faultSummaries } from '../../lab/faults/names.ts';
import { defaultRunDir } from '../model/contract.ts';
import { InputError } from '../model/problem.ts';
import { messageOf, withoutUndefined } from '../model/values.ts';
import { printLines } from '../runtime/print.ts';
import type { Register } from './command.ts';
import { addOutputOption, type OutputArguments, printResult } from './output.ts';

export const checkout = resolve(import.meta.dirname, '..', '..');
export const program = join(checkout, 'bin', 'tideline');

/** `tideline lab`: the platform in a box. Each action imports the parts of the lab that it needs. */
export const register: Register = (root) => {
  const lab = root
    .command('lab')
    .description('the platform in a box: real routers, servers, name servers, clients, faults');
  withState(lab.command('up'))
    .description('start the lab and keep it until Ctrl-C or `lab down`')
    .option('--spec <DIR>', 'the platform spec to run', join(checkout, 'examples', 'hybrid'))
    .option('--kubernetes', 'a real control plane for each cluster (build them first: make kubernetes)')
    .action(up);
  withState(lab.command('inside', { hidden: true }))
    .requiredOption('--spec <DIR>')
    .option('--kubernetes')
    .action(inside);
  addOutputOption(withState(lab.command('status')))
    .description('show sessions, routes, agents, DNS answers and clients')
    .addOption(new Option('--json', 'the same as --output json').implies({ output: 'json' }).hideHelp())
    .option('--memory', 'also the memory of every program')
    .action(status);
  withState(lab.command('fault'))
    .description('make trouble')
    .argument('<name>', 'which trouble')
    .argument('[target]', 'whom it hits; absent: the first possible target')
    .addHelpText('after', `\nFaults:\n${faultList()}`)
    .action(fault);
  withState(lab.command('heal')).description('end the faults of that name, or all').argument('[name]').action(heal);
  withState(lab.command('exec'))
    .description('run a command inside the lab, on the machine of its operator')
    .option(
      '--on <MACHINE>',
      'on another machine of the lab, as its network sees it: a server, a router, a name server',
    )
    .argument('<command...>', 'the command and its arguments, after --')
    .addHelpText('after', '\nFor example: tideline lab exec -- tideline status build/lab/platform')
    .action(exec);
  withState(lab.command('down')).description('end the lab').action(down);
};

interface StateOption {
  readonly state: string;
}

function withState(command: Command): Command {
  return command.option(
    '--state <DIR>',
    'folder of the lab: control socket, logs, platform',
    join(checkout, 'build', 'lab'),
  );
}

interface UpOptions extends StateOption {
  readonly spec: string;
  readonly kubernetes?: true;
}

async function up(options: UpOptions): Promise<void> {
  const state = resolve(options.state);
  if (options.kubernetes === true) await controlPlanePrograms();
  const words = ['lab', 'inside', '--state', state, '--spec', resolve(options.spec)];
  await runLabInBox(state, [...words, ...(options.kubernetes === true ? ['--kubernetes'] : [])]);
}

/** The programs that the lab needs for real control planes. Throws InputError when they are not built. */
export async function controlPlanePrograms(): Promise<ControlPlanePrograms> {
  const { findBinaries } = await import('../../lab/control-plane/binaries.ts');
  return { binaries: await findBinaries(process.env), deploy: join(checkout, 'deploy') };
}

/** Runs a tideline command in namespaces of its own, as the only lab of that state folder; its exit code becomes ours. */
export async function runLabInBox(state: string, words: readonly string[]): Promise<void> {
  const [{ runInBox }, { boxFile }, { labIsRunning }] = await Promise.all([
    import('../../lab/box.ts'),
    import('../../lab/enter.ts'),
    import('../../lab/control/client.ts'),
  ]);
  if (await labIsRunning(state))
    throw new InputError([
      { reason: 'LabRunning', message: `a lab is running in ${state}`, fix: 'end it with: tideline lab down' },
    ]);
  await makeFolder(state).catch((error: unknown) => {
    throw new InputError({
      reason: 'StateFolderUnusable',
      message: `cannot make the state folder ${state}: ${messageOf(error)}`,
      fix: 'choose another folder with --state',
    });
  });
  const pidFile = join(state, boxFile);
  process.exitCode = await runInBox({
    command: [program, ...words],
    environment: labEnvironment(state),
    onStarted: (pid) => writeFileSync(pidFile, `${pid}\n`),
  });
  await Promise.all([join(state, 'lab.sock'), pidFile].map((file) => rm(file, { force: true })));
}

/** Makes a folder. Its last step is not recursive: where the kernel makes no folders (below /proc), Node would try for ever. */
async function makeFolder(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await mkdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}

async function inside(options: UpOptions): Promise<void> {
  const [{ runLab }, { systemClock }] = await Promise.all([import('../../lab/run.ts'), import('../runtime/clock.ts')]);
  await runLab({
    stateFolder: options.state,
    runFolder: defaultRunDir,
    specFolder: options.spec,
    tideline: program,
    node: process.execPath,
    clock: systemClock,
    environment: labEnvironment(options.state),
    ...(options.kubernetes === true ? { controlPlanes: await controlPlanePrograms() } : {}),
    progress: ({ what, elapsedMs }) => printLines([`${(elapsedMs / 1000).toFixed(1).padStart(6)} s  ${what}`]),
  });
  process.exit(0);
}

async function status({
  state,
  output,
  memory,
}: StateOption & OutputArguments & { readonly memory?: true }): Promise<void> {
  const [{ askLab }, { formatStatus }] = await Promise.all([
    import('../../lab/control/client.ts'),
    import('../../lab/observe/format.ts'),
  ]);
  const answer = await askLab(state, 'GET', `/status${memory === true ? '?memory' : ''}`);
  await printResult(output, { lines: () => formatStatus(answer), value: () => answer });
}

async function fault(name: string, target: string | undefined, options: StateOption): Promise<void> {
  const [{ askLab }, { findFault }] = await Promise.all([
    import('../../lab/control/client.ts'),
    import('../../lab/faults/board.ts'),
  ]);
  const known = findFault(name);
  const query = new URLSearchParams({ name: known.name, ...withoutUndefined({ target }) }).toString();
  const begun = (await askLab(options.state, 'POST', `/fault?${query}`)) as { readonly target: string };
  printLines([`${known.name} ${begun.target}: ${faultSummaries[known.name]}`]);
}

async function heal(name: string | undefined, options: StateOption): Promise<void> {
  const { askLab } = await import('../../lab/control/client.ts');
  const query = name === undefined ? '' : `?${new URLSearchParams({ name }).toString()}`;
  const healed = (await askLab(options.state, 'POST', `/heal${query}`)) as readonly { name: string; target: string }[];
  const lines = healed.map((one) => `healed ${one.name} ${one.target}`);
  printLines(lines.length === 0 ? ['nothing to heal'] : lines);
}

async function exec(command: string[], { state, on }: StateOption & { readonly on?: string }): Promise<void> {
  const { enterBox } = await import('../../lab/enter.ts');
  const stateFolder = resolve(state);
  const lab = labEnvironment(stateFolder);
  const environment = { ...process.env, ...lab, PATH: `${dirname(program)}:${lab['PATH'] ?? ''}` };
  const entry = { stateFolder, command, environment, ...withoutUndefined({ machine: on }) };
  process.exitCode = await enterBox(entry);
}

async function down(options: StateOption): Promise<void> {
  const { askLab, labIsRunning } = await import('../../lab/control/client.ts');
  await askLab(options.state, 'POST', '/down');
  for (const deadline = performance.now() + 10_000; performance.now() < deadline; ) {
    if (!(await labIsRunning(options.state))) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error('the lab did not end within 10 s');
}

function faultList(): string {
  return Object.entries(faultSummaries)
    .map(([name, summary]) => `  ${name.padEnd(18)} ${summary}\n`)
    .join('');
}

/**
 * The environment of the lab: its PATH has the sbin folders of the daemons, which an ordinary user's lacks; compiled code is
 * kept for the next start.
 */
export function labEnvironment(state: string): Readonly<Record<string, string>> {
  const { PATH = '', HOME = '/', LANG = 'C.UTF-8', TERM = 'dumb', XDG_CACHE_HOME, NO_COLOR } = process.env;
  return {
    HOME,
    LANG,
    TERM,
    ...withoutUndefined({ XDG_CACHE_HOME, NO_COLOR }),
    PATH: `${PATH}:/usr/local/sbin:/usr/sbin:/sbin`,
    NODE_COMPILE_CACHE: join(state, 'compile-cache'),
  };
}
