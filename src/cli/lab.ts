import { existsSync, writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { ControlPlanePrograms } from '../../lab/clusters/make.ts';
import { faultSummaries } from '../../lab/faults/names.ts';
import { defaultStateFolder } from '../../lab/state.ts';
import { defaultRunDir } from '../model/contract.ts';
import { InputError } from '../model/problem.ts';
import type { SteeringStatus } from '../model/steering-status.ts';
import { messageOf, withoutUndefined } from '../model/values.ts';
import { printLines } from '../runtime/print.ts';
import type { Register } from './command.ts';
import { logsCommand } from './lab-logs.ts';
import { addOutputOption, type OutputArguments, printResult } from './output.ts';

export const checkout = resolve(import.meta.dirname, '..', '..');
export const program = join(checkout, 'bin', 'tideline');
export const alertRules = join(checkout, 'deploy', 'alerts', 'tideline.rules.yaml');

/** `tideline lab`: the platform in a box. Each action imports the parts of the lab that it needs. */
export const register: Register = (root) => {
  const lab = root
    .command('lab')
    .description('the platform in a box: real routers, servers, name servers, clients, faults');
  withState(lab.command('up'))
    .description('start the lab and keep it until Ctrl-C or `lab down`')
    .addOption(
      new Option('--spec <DIR>', 'the platform spec to run').default(
        join(checkout, 'examples', 'hybrid'),
        'examples/hybrid of the checkout',
      ),
    )
    .option('--kubernetes', 'a real control plane for each cluster (build them first: make kubernetes)')
    .option(
      '--alerts',
      "a Prometheus with Tideline's alerts on the operator's machine, port 9090; it waits a twentieth as long",
    )
    .option('--tls', 'agents have certificates of an authority of the lab, and require them of who asks')
    .addOption(steeringOption())
    .action(up);
  withState(lab.command('inside', { hidden: true }))
    .requiredOption('--spec <DIR>')
    .option('--kubernetes')
    .option('--alerts')
    .option('--tls')
    .addOption(steeringOption())
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
    .addHelpText(
      'after',
      '\nFor example: tideline lab exec -- tideline status build/lab/platform\n`tideline steering plan`, `apply` and `tideline why` reach the name servers of the lab.',
    )
    .action(exec);
  logsCommand(withState(lab.command('logs')));
  withState(lab.command('down'))
    .description('end the lab')
    .option('--demo', 'end it also when it is the demo, which then leaves no report')
    .action(down);
};

/** The option by which a lab has a steering agent. */
export function steeringOption(): Option {
  return new Option(
    '--steering <mode>',
    "a steering agent on the operator's machine, port 9465, in this mode (default: none)",
  ).choices(['observe', 'recommend', 'automatic']);
}

interface StateOption {
  readonly state: string;
}

/** Adds the option that names the folder of a lab. */
export function withState(command: Command): Command {
  const folder = 'folder of the lab: control socket, logs, platform';
  return command.addOption(
    new Option('--state <DIR>', folder).default(defaultStateFolder, 'build/lab of the checkout'),
  );
}

interface UpOptions extends StateOption {
  readonly spec: string;
  readonly kubernetes?: true;
  readonly alerts?: true;
  readonly tls?: true;
  readonly steering?: SteeringStatus['mode'];
}

async function up(options: UpOptions): Promise<void> {
  const state = resolve(options.state);
  if (options.kubernetes === true) await controlPlanePrograms();
  const words = ['lab', 'inside', '--state', state, '--spec', resolve(options.spec)];
  const extras = (['kubernetes', 'alerts', 'tls'] as const).filter((extra) => options[extra] === true);
  const steering = options.steering === undefined ? [] : ['--steering', options.steering];
  await runLabInBox(state, [...words, ...extras.map((extra) => `--${extra}`), ...steering]);
}

/** The programs that the lab needs for real control planes. Throws InputError when they are not built. */
export async function controlPlanePrograms(): Promise<ControlPlanePrograms> {
  const { findBinaries } = await import('../../lab/control-plane/binaries.ts');
  return { binaries: await findBinaries(process.env), deploy: join(checkout, 'deploy') };
}

/** Runs a tideline command in namespaces of its own, as the only lab of that state folder; its exit code becomes ours. */
export async function runLabInBox(state: string, words: readonly string[], graceMs?: number): Promise<void> {
  const [{ runInBox }, { boxFile, boxIsThere }, { occupantOf }, { labRunning }] = await Promise.all([
    import('../../lab/box.ts'),
    import('../../lab/enter.ts'),
    import('../../lab/control/client.ts'),
    import('../../lab/state.ts'),
  ]);
  const occupant = (await occupantOf(state)) ?? ((await boxIsThere(state)) ? 'lab' : undefined);
  if (occupant !== undefined) throw labRunning(state, occupant);
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
    ...withoutUndefined({ graceMs }),
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
  const [{ runLab }, { readyLines }, { systemClock }] = await Promise.all([
    import('../../lab/run.ts'),
    import('../../lab/ready.ts'),
    import('../runtime/clock.ts'),
  ]);
  await runLab(
    {
      stateFolder: options.state,
      runFolder: defaultRunDir,
      specFolder: options.spec,
      tideline: program,
      node: process.execPath,
      clock: systemClock,
      environment: labEnvironment(options.state),
      ...(options.kubernetes === true ? { controlPlanes: await controlPlanePrograms() } : {}),
      ...(options.alerts === true ? { alertRules } : {}),
      tls: options.tls === true,
      ...withoutUndefined({ steering: options.steering }),
      progress: ({ what, elapsedMs }) => printLines([`${(elapsedMs / 1000).toFixed(1).padStart(6)} s  ${what}`]),
    },
    {
      occupant: 'lab',
      begin: async ({ world, platformFolder, alerts, steering }) => {
        const stateFolder = options.state;
        printLines(['', ...readyLines({ stateFolder, platformFolder, world, steering, alerts: alerts !== undefined })]);
        return undefined;
      },
    },
  );
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
  const [{ enterBox }, { dnsEnvironment }] = await Promise.all([
    import('../../lab/enter.ts'),
    import('../../lab/world/dns.ts'),
  ]);
  const stateFolder = resolve(state);
  const lab = labEnvironment(stateFolder);
  const certificate = await operatorCertificate(stateFolder);
  // A profile of the person would come before the lab's credentials.
  const { AWS_PROFILE: _profile, AWS_SESSION_TOKEN: _token, ...own } = process.env;
  const path = `${dirname(program)}:${lab['PATH'] ?? ''}`;
  const environment = { ...own, ...lab, ...dnsEnvironment, ...certificate, PATH: path };
  const entry = { stateFolder, command, environment, ...withoutUndefined({ machine: on }) };
  process.exitCode = await enterBox(entry);
}

/** The environment by which commands ask the agents of a lab that has certificates. */
async function operatorCertificate(stateFolder: string): Promise<Readonly<Record<string, string>>> {
  const { operatorCertificateFolder } = await import('../../lab/clusters/agent-certificates.ts');
  const file = (name: string): string => join(stateFolder, operatorCertificateFolder, name);
  if (!existsSync(file('tls.crt'))) return {};
  return { TIDELINE_TLS_CERT: file('tls.crt'), TIDELINE_TLS_KEY: file('tls.key'), TIDELINE_TLS_CA: file('ca.crt') };
}

async function down(options: StateOption & { readonly demo?: true }): Promise<void> {
  const { askLab, occupantOf } = await import('../../lab/control/client.ts');
  await askLab(options.state, 'POST', options.demo === true ? '/down?demo' : '/down');
  for (const deadline = performance.now() + 10_000; performance.now() < deadline; ) {
    if ((await occupantOf(options.state)) === undefined) return;
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
    // What is decided in play is none of this machine's history.
    TIDELINE_HISTORY: join(resolve(state), 'history.jsonl'),
  };
}
