import { InputError, problemLines } from '../model/problem.ts';
import type { Snapshot } from '../observe/snapshot.ts';
import type { ScreenOptions } from '../observe/text.ts';
import { sleep, systemClock } from '../runtime/clock.ts';
import { clearScreen, printErrorLines, printLines } from '../runtime/print.ts';
import type { Register } from './command.ts';
import { lookAt } from './look.ts';
import { addOutputOption, type OutputArguments, printResult } from './output.ts';

interface StatusArguments extends OutputArguments {
  readonly watch?: true;
}

const intervalMs = 2000;

/** `tideline status FILES...`: everybody's status on one screen. */
export const register: Register = (program) => {
  const status = program
    .command('status')
    .description('Ask every agent, and say first what matters most')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them')
    .option('--watch', 'again every two seconds, until Ctrl-C');
  addOutputOption(status)
    .addHelpText(
      'after',
      `
Asks the agents of the blades that the spec names, and of the workers that each cluster lists, over the network: it runs where
an agent lets it in (a server of the platform, or a network of --metrics-from). Clusters are read by their source in the spec.
It does not look at DNS (tideline steering plan does), and what routers make of a route is not known to agents.
Exit code 0: nothing is wrong, 1: something is (an outage, a fault, or something that is not known), 2: bad input.`,
    )
    .action(run);
};

async function run(paths: string[], options: StatusArguments): Promise<void> {
  if (options.watch === true) return watch(paths, options);
  const { findingsOf } = await import('../observe/findings.ts');
  const snapshot = await look(paths);
  await show(snapshot, options);
  const wrong = findingsOf(snapshot).some(({ severity }) => severity !== 'warning' && severity !== 'note');
  process.exitCode = wrong ? 1 : 0;
}

/** Looks again and again. A spec that is being edited may not be valid for a moment: then that is shown. */
async function watch(paths: readonly string[], options: StatusArguments): Promise<never> {
  const { stdout } = process;
  const screen = stdout.isTTY ? { columns: stdout.columns, rows: stdout.rows - 1 } : {};
  for (;;) {
    const seen = await look(paths).catch((error: unknown) => {
      if (error instanceof InputError) return error.problems.flatMap(problemLines);
      throw error;
    });
    if (stdout.isTTY && options.output === 'text' && process.env.TERM !== 'dumb') clearScreen();
    if (!('takenAtMs' in seen)) printErrorLines(seen);
    else await show(seen, options, screen);
    if (!stdout.isTTY && options.output === 'text') printLines(['']);
    await sleep(systemClock, intervalMs);
  }
}

async function show(snapshot: Snapshot, { output }: OutputArguments, screen: ScreenOptions = {}): Promise<void> {
  const { findingsOf } = await import('../observe/findings.ts');
  const { renderStatus } = await import('../observe/text.ts');
  await printResult(output, {
    lines: () => renderStatus(snapshot, screen),
    value: () => ({ ...snapshot, findings: findingsOf(snapshot) }),
  });
}

async function look(paths: readonly string[]): Promise<Snapshot> {
  const { loadPlatformOrThrow } = await import('../platform/load.ts');
  return lookAt(await loadPlatformOrThrow(paths));
}
