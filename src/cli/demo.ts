import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Option } from 'commander';
import { defaultRunDir } from '../model/contract.ts';
import type { SteeringStatus } from '../model/steering-status.ts';
import { withoutUndefined } from '../model/values.ts';
import { printErrorLines, printLines } from '../runtime/print.ts';
import type { Register } from './command.ts';
import { demoFleet, fleetFolder, fleetPrograms } from './demo-fleet.ts';

import {
  alertRules,
  checkout,
  controlPlanePrograms,
  labEnvironment,
  program,
  runLabInBox,
  steeringOption,
  withState,
} from './lab.ts';

/** `tideline demo`: the lab with its scenario, live on a terminal, or once as lines of text. */
export const register: Register = (root) => {
  const demo = root
    .command('demo')
    .description('the platform in a box, its scenario step by step, then faults by keys')
    .option('--once', 'run the scenario once as text and exit: 0 when every step went well (also without a terminal)')
    .option(
      '--kubernetes',
      'a real control plane for each cluster, and two steps more (build them first: make kubernetes)',
    )
    .option(
      '--fleet',
      'bare servers that `tideline fleet` makes a cluster of, and a scenario of their own (build first: make kubernetes servers salt)',
    )
    .addOption(
      new Option('--report <FILE>', 'where the report goes').default(
        join(checkout, 'build', 'demo', 'report.json'),
        'build/demo/report.json of the checkout',
      ),
    );
  withState(demo).addOption(steeringOption()).action(run);
  demo
    .command('inside', { hidden: true })
    .requiredOption('--begun <MS>')
    .action((_options, command: { optsWithGlobals(): Options & { readonly begun: string } }) =>
      inside(command.optsWithGlobals()),
    );
};

interface Options {
  readonly once?: true;
  readonly kubernetes?: true;
  readonly fleet?: true;
  readonly report: string;
  readonly steering?: SteeringStatus['mode'];
  readonly state: string;
}

async function run(options: Options): Promise<void> {
  const state = resolve(options.state);
  if (options.fleet === true) await fleetPrograms(options);
  else if (options.kubernetes === true) await controlPlanePrograms();
  const words = ['--state', state, '--report', resolve(options.report)];
  if (options.once === true) words.push('--once');
  if (options.kubernetes === true) words.push('--kubernetes');
  if (options.fleet === true) words.push('--fleet');
  if (options.steering !== undefined) words.push('--steering', options.steering);
  await runLabInBox(
    state,
    ['demo', ...words, 'inside', '--begun', String(Date.now())],
    options.fleet === true ? fleetGraceMs : undefined,
  );
  // Where the demo was killed, disks are left.
  if (options.fleet === true) await rm(fleetFolder(state), { recursive: true, force: true });
}

const ended = 'tideline: the demo was ended before its scenario was over; there is no report';
/** How long the servers of a fleet get to end with everything that they have. */
const fleetGraceMs = 30_000;

async function inside(options: Options & { readonly begun: string }): Promise<void> {
  if (options.fleet === true) return await demoFleet(options, ended);
  const [{ interrupted, runLab }, { playDemo }, { systemClock }] = await Promise.all([
    import('../../lab/run.ts'),
    import('../../lab/demo/run.ts'),
    import('../runtime/clock.ts'),
  ]);
  const { stdin, stdout } = process;
  // A terminal that cannot move its cursor gets the scenario as lines of text.
  const live = options.once !== true && stdin.isTTY && stdout.isTTY && process.env.TERM !== 'dumb';
  const colour = (process.env.NO_COLOR ?? '') === '';
  // A report that is there afterwards is of this demo.
  await rm(options.report, { force: true });
  const startupMs = Date.now() - Number(options.begun);
  const code = await runLab(
    {
      stateFolder: options.state,
      runFolder: defaultRunDir,
      specFolder: join(checkout, 'examples', 'hybrid'),
      tideline: program,
      node: process.execPath,
      clock: systemClock,
      environment: labEnvironment(options.state),
      alertRules,
      ...withoutUndefined({ steering: options.steering }),
      ...(options.kubernetes === true ? { controlPlanes: await controlPlanePrograms() } : {}),
      progress: ({ what, elapsedMs }) => printLines([`${(elapsedMs / 1000).toFixed(1).padStart(6)} s  ${what}`]),
    },
    {
      occupant: 'demo',
      begin: (lab, board) =>
        playDemo(lab, board, {
          reportFile: options.report,
          startupMs,
          output: stdout,
          ...(live ? { terminal: { input: stdin, output: stdout, colour } } : {}),
        }),
    },
  );
  if (code === interrupted) printErrorLines([ended]);
  process.exit(code);
}
