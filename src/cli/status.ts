import { isInForce } from '../model/platform/drains.ts';
import type { Platform } from '../model/spec/platform.ts';
import { messageOf } from '../model/values.ts';
import type { ClusterPart, Snapshot, Target } from '../observe/snapshot.ts';
import { clearScreen, printLines } from '../runtime/print.ts';
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
  const { findingsOf } = await import('../observe/findings.ts');
  const { renderStatus } = await import('../observe/text.ts');
  for (;;) {
    const snapshot = await takeSnapshot(paths);
    const findings = findingsOf(snapshot);
    const value = () => ({ ...snapshot, findings });
    if (options.watch !== true) {
      await printResult(options.output, { lines: () => renderStatus(snapshot), value });
      const wrong = findings.some(({ severity }) => severity !== 'warning' && severity !== 'note');
      process.exitCode = wrong ? 1 : 0;
      return;
    }
    const { stdout } = process;
    const screen = stdout.isTTY ? { columns: stdout.columns, rows: stdout.rows - 1 } : {};
    if (stdout.isTTY && options.output === 'text') clearScreen();
    await printResult(options.output, { lines: () => renderStatus(snapshot, screen), value });
    if (!stdout.isTTY && options.output === 'text') printLines(['']);
    await new Promise((done) => setTimeout(done, intervalMs));
  }
}

async function takeSnapshot(paths: readonly string[]): Promise<Snapshot> {
  const { loadPlatformOrThrow } = await import('../platform/load.ts');
  const { askAgent } = await import('../observe/ask.ts');
  const { bladeTargets } = await import('../observe/targets.ts');
  const platform = await loadPlatformOrThrow(paths);
  const progress = showProgress();
  progress.step('asking clusters and agents');
  const ask = (target: Target) => askAgent(target, { timeoutMs: patienceMs, monotonic: () => performance.now() });
  try {
    const [blades, clusters] = await Promise.all([
      Promise.all(bladeTargets(platform).map(ask)),
      Promise.all([...platform.clusters.keys()].map((name) => workersOf(platform, name))),
    ]);
    const workers = await Promise.all(clusters.flatMap(({ targets }) => targets).map(ask));
    const nowMs = Date.now();
    return {
      takenAtMs: nowMs,
      clusters: clusters.map(({ part }) => part),
      pools: [...platform.edgePools.values()].map(({ metadata, spec }) => ({
        name: metadata.name,
        cluster: spec.cluster,
        vips: spec.vips.map(({ address }) => address.text),
      })),
      agents: [...blades, ...workers],
      drains: [...platform.drains.values()]
        .filter((drain) => isInForce(drain, nowMs))
        .map(({ metadata, spec }) => ({
          name: metadata.name,
          target: `${spec.target.kind}/${spec.target.name}`,
          reason: spec.reason,
          expires: spec.expires,
        })),
    };
  } finally {
    progress.end();
  }
}

/** The workers' agents of a cluster. A cluster that cannot be read is a part with the cause; one without a source has no workers of ours. */
async function workersOf(
  platform: Platform,
  name: string,
): Promise<{ readonly part: ClusterPart; readonly targets: readonly Target[] }> {
  const source = platform.clusters.get(name)?.spec.source;
  if (source === undefined || 'none' in source) return { part: { name }, targets: [] };
  const { sourcePlace } = await import('./cluster-source.ts');
  const { unplacedOf, workerTargets } = await import('../observe/targets.ts');
  try {
    const place = sourcePlace(platform, name, {});
    const workers = await ('manifests' in place ? folderWorkers(place.manifests) : apiWorkers(place));
    if (workers.length === 0) return { part: { name, problem: 'it lists no Node' }, targets: [] };
    return { part: { name, unplaced: unplacedOf(workers) }, targets: workerTargets(platform, name, workers) };
  } catch (error) {
    return { part: { name, problem: messageOf(error) }, targets: [] };
  }
}

async function folderWorkers(folder: string) {
  const { workersOfFolder } = await import('../observe/workers.ts');
  const { systemClock } = await import('../runtime/clock.ts');
  return workersOfFolder(folder, systemClock, patienceMs);
}

async function apiWorkers(place: object) {
  const { workersOfApi } = await import('../observe/workers.ts');
  const { connect } = await import('../kube/api/connect.ts');
  const client = await connect(place);
  try {
    return await workersOfApi(client, patienceMs);
  } finally {
    await client.close();
  }
}
