import { InputError, problemLines } from '../model/problem.ts';
import type { Platform } from '../model/spec/platform.ts';
import type { Snapshot } from '../observe/snapshot.ts';
import type { Worker } from '../observe/targets.ts';
import type { ScreenOptions } from '../observe/text.ts';
import { sleep, systemClock } from '../runtime/clock.ts';
import { clearScreen, printErrorLines, printLines } from '../runtime/print.ts';
import type { Register } from './command.ts';
import { addOutputOption, type OutputArguments, printResult } from './output.ts';
import { showProgress } from './progress.ts';

interface StatusArguments extends OutputArguments {
  readonly watch?: true;
}

/** The limit for each agent and each cluster; they are asked beside each other. */
const patienceMs = 3000;
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
    if (stdout.isTTY && options.output === 'text') clearScreen();
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
  const { askAgent } = await import('../observe/ask.ts');
  const { takeSnapshot } = await import('../observe/take.ts');
  const platform = await loadPlatformOrThrow(paths);
  const progress = showProgress();
  progress.step('asking clusters and agents');
  return takeSnapshot({
    platform,
    ask: (target) => askAgent(target, { timeoutMs: patienceMs, monotonic: () => systemClock.monotonic() }),
    workersOf: (cluster) => workersOf(platform, cluster),
    now: () => systemClock.now(),
  }).finally(progress.end);
}

/** The workers that a cluster lists, read from its source in the spec; undefined for a cluster that is not read at all. */
async function workersOf(platform: Platform, name: string): Promise<readonly Worker[] | undefined> {
  const source = platform.clusters.get(name)?.spec.source;
  if (source === undefined || 'none' in source) return undefined;
  const { sourcePlace } = await import('./cluster-source.ts');
  const { workersOfApi, workersOfFolder } = await import('../observe/workers.ts');
  const place = sourcePlace(platform, name, {});
  if ('manifests' in place) return workersOfFolder(place.manifests, systemClock, patienceMs);
  const { connect } = await import('../kube/api/connect.ts');
  const client = await connect(place);
  try {
    return await workersOfApi(client, patienceMs);
  } finally {
    await client.close();
  }
}
